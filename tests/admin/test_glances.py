from __future__ import annotations

from datetime import timedelta

import pytest

from identity_tracking.admin import glances as module
from identity_tracking.admin.glances import DAYS, PARTS, glances
from tests.admin.conftest import NOON as NOW
from tests.factories import (
    ActivityFactory,
    IdentifierFactory,
    LeadFactory,
    OwnershipFactory,
    PersonFactory,
)

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]
DAY = timedelta(days=1)


def glance(person):
    return glances([person.pk])[person.pk]


def test_each_person_is_shown_with_what_they_did_themselves():
    ada, ben = PersonFactory(), PersonFactory()
    visitor = OwnershipFactory(person=ada).identifier
    ActivityFactory.create_batch(2, identifier=ada.anchor, timestamp=NOW)
    ActivityFactory(identifier=visitor, timestamp=NOW - DAY)
    ActivityFactory(identifier=ben.anchor, timestamp=NOW)

    found = glances([ada.pk, ben.pk])

    assert (found[ada.pk].total, found[ben.pk].total) == (3, 1)
    assert (found[ada.pk].width, found[ada.pk].most) == (DAYS, 2)
    assert found[ada.pk].since is None


def test_what_is_older_is_not_counted():
    person = PersonFactory()
    ActivityFactory(identifier=person.anchor, timestamp=NOW - (DAYS + 1) * DAY)

    assert glance(person).total == 0


def test_what_those_did_who_folded_counts_too():
    person = PersonFactory()
    lead = LeadFactory(root=person)
    OwnershipFactory(person=lead, identifier=lead.anchor)
    ActivityFactory(identifier=lead.anchor, timestamp=NOW)

    assert glance(person).total == 1


def test_of_a_shared_browser_only_their_own_part_counts():
    ada, ben = PersonFactory(), PersonFactory()
    shared = IdentifierFactory()
    OwnershipFactory(identifier=shared, person=ada, until=NOW - 2 * DAY)
    OwnershipFactory(identifier=shared, person=ada, after=ben, since=NOW - 2 * DAY, until=NOW - DAY)
    OwnershipFactory(identifier=shared, person=ben, since=NOW - DAY)
    for ago in (3, 1.5, 0, 0):
        ActivityFactory(identifier=shared, timestamp=NOW - ago * DAY)

    found = glances([ada.pk, ben.pk])

    assert (found[ada.pk].total, found[ben.pk].total) == (1, 2)


def test_of_a_busy_history_the_newest_part_is_counted(monkeypatch):
    monkeypatch.setattr(module, "COUNTED", 3)
    person = PersonFactory()
    visitor = OwnershipFactory(person=person).identifier
    for ago in range(6):
        ActivityFactory(identifier=(person.anchor, visitor)[ago % 2], timestamp=NOW - ago * DAY)

    found = glance(person)

    assert (found.total, found.since) == (3, (NOW - 2 * DAY).date())


def test_of_many_identifiers_some_are_counted():
    person = PersonFactory()
    for _ in range(PARTS + 3):
        visitor = OwnershipFactory(person=person).identifier
        ActivityFactory(identifier=visitor, timestamp=NOW)

    found = glance(person)

    assert PARTS - 1 <= found.total <= PARTS
    assert found.since is not None


def test_where_many_folded_nobody_is_said_to_be_whole(monkeypatch):
    monkeypatch.setattr(module, "FOLDED", 1)
    person = PersonFactory()
    LeadFactory.create_batch(2, root=person)

    assert glance(person).since is not None


def test_they_take_four_queries(django_assert_num_queries):
    people = PersonFactory.create_batch(20)
    for person in people:
        ActivityFactory(identifier=OwnershipFactory(person=person).identifier)

    with django_assert_num_queries(4):
        glances([person.pk for person in people])


def test_of_nobody_there_is_nothing(django_assert_num_queries):
    assert glances([]) == {}


def test_the_list_says_how_much_everybody_did_lately(staff, monkeypatch):
    monkeypatch.setattr(module, "COUNTED", 2)
    person = PersonFactory(user_id="42", email="ada@example.com")
    ActivityFactory.create_batch(3, identifier=person.anchor, timestamp=NOW)

    assert "ada@example.com 2 + or more" in staff.text("person")


def test_who_may_not_see_activity_reads_none_in_the_list(staff_with):
    PersonFactory()

    assert "Last 30 days" not in staff_with("view_person").text("person")
