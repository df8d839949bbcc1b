from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from identity_tracking.admin import sparkline as module
from identity_tracking.admin.sparkline import DAYS, sparkline
from identity_tracking.models.activity import spans
from tests.admin.conftest import NOON as NOW
from tests.factories import ActivityFactory, OwnershipFactory, PersonFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
DAY = timedelta(days=1)


def bars(person):
    """Return the height of each bar by its day, counted from the left."""
    path = sparkline(spans(person)).path
    found = (bar.split(" 24v-") for bar in path.split("M")[1:])
    return {int(day): float(rest.split("h")[0]) for day, rest in found}


def test_each_day_with_activity_has_a_bar_as_high_as_its_share():
    person = PersonFactory()
    visitor = OwnershipFactory(person=person).identifier
    ActivityFactory.create_batch(2, identifier=person.anchor, timestamp=NOW)
    ActivityFactory.create_batch(2, identifier=visitor, timestamp=NOW)
    ActivityFactory(identifier=visitor, timestamp=NOW - DAY)

    assert bars(person) == {DAYS - 1: 24, DAYS - 2: 6}


def test_what_is_older_is_not_counted():
    person = PersonFactory()
    ActivityFactory(identifier=person.anchor, timestamp=NOW - (DAYS + 1) * DAY)

    assert sparkline(spans(person)).total == 0


@pytest.mark.parametrize(("zone", "day"), [("America/Chicago", 88), ("Asia/Kolkata", 89)])
def test_days_are_those_of_the_sites_time_zone(zone, day):
    person = PersonFactory()
    ActivityFactory(identifier=person.anchor, timestamp=datetime(2026, 11, 22, 3, tzinfo=UTC))

    with timezone.override(zone):
        assert list(bars(person)) == [day]


def test_of_a_busy_history_the_newest_part_is_counted(monkeypatch):
    monkeypatch.setattr(module, "COUNTED", 3)
    person = PersonFactory()
    for ago in range(6):
        ActivityFactory(identifier=person.anchor, timestamp=NOW - ago * DAY)

    found = sparkline(spans(person))

    assert (found.total, found.since) == (3, (NOW - 2 * DAY).date())


def test_where_one_of_many_browsers_is_busy_all_count_from_there_on(monkeypatch):
    monkeypatch.setattr(module, "COUNTED", 8)
    person = PersonFactory()
    busy, *others = (OwnershipFactory(person=person).identifier for _ in range(4))
    for ago in range(4):
        ActivityFactory(identifier=busy, timestamp=NOW - ago * DAY)
    ActivityFactory(identifier=others[0], timestamp=NOW - DAY)
    ActivityFactory(identifier=others[1], timestamp=NOW - 5 * DAY)

    found = sparkline(spans(person))

    assert (found.total, found.since) == (3, (NOW - DAY).date())


def test_the_busiest_day_is_named():
    person = PersonFactory()
    ActivityFactory(identifier=person.anchor, timestamp=NOW)
    ActivityFactory.create_batch(2, identifier=person.anchor, timestamp=NOW - DAY)

    found = sparkline(spans(person))

    assert (found.total, found.most, found.busiest) == (3, 2, (NOW - DAY).date())


def test_it_takes_one_query(django_assert_num_queries):
    person = PersonFactory()
    for _ in range(5):
        OwnershipFactory(person=person)
    parts = spans(person)

    with django_assert_num_queries(1):
        sparkline(parts)
