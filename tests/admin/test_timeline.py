from __future__ import annotations

from datetime import timedelta

import pytest

from identity_tracking.admin import paging, timeline
from identity_tracking.admin.timeline import TimelinePaginator
from identity_tracking.models import Activity
from identity_tracking.models.activity import spans
from tests.factories import (
    START,
    ActivityFactory,
    IdentifierFactory,
    LeadFactory,
    OwnershipFactory,
    PersonFactory,
)

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def pages(person, per_page=3, activities=None):
    rows = Activity.objects.all() if activities is None else activities
    paginator = TimelinePaginator(rows, per_page, spans=spans(person))
    return [list(page) for page in paginator]


@pytest.fixture
def contested():
    """Somebody with a browser that was theirs, nobody's, another's, and theirs again."""
    person, other, visitor = PersonFactory(), PersonFactory(), IdentifierFactory()
    gap = {"identifier": visitor, "person": person}
    OwnershipFactory(**gap, until=START + 3 * HOUR)
    OwnershipFactory(**gap, after=other, since=START + 3 * HOUR, until=START + 5 * HOUR)
    OwnershipFactory(
        identifier=visitor, person=other, since=START + 5 * HOUR, until=START + 7 * HOUR
    )
    OwnershipFactory(**gap, since=START + 7 * HOUR)
    for n in range(10):
        ActivityFactory(identifier=visitor, timestamp=START + n * HOUR)
        ActivityFactory(identifier=person.anchor, timestamp=START + n * HOUR)
    return person


def test_pages_are_the_whole_history_in_its_order(contested):
    history = list(contested.activities)

    assert len(history) == 16
    assert [row for page in pages(contested) for row in page] == history


def test_a_gap_belongs_to_nobody_until_both_sides_are_one(contested):
    gap = Activity.objects.filter(
        identifier__kind=1, timestamp__gte=START + 3 * HOUR, timestamp__lt=START + 7 * HOUR
    )
    other = type(contested).objects.exclude(pk=contested.pk).get()

    before = {row for page in pages(contested) for row in page}
    other.root = contested
    other.save()
    del contested.component
    after = {row for page in pages(contested) for row in page}

    assert before.isdisjoint(gap)
    assert after >= set(gap)


def test_activities_of_one_instant_are_paged_once_each():
    person = PersonFactory()
    ActivityFactory.create_batch(10, identifier=person.anchor, timestamp=START)

    rows = [row for page in pages(person) for row in page]

    assert rows == list(person.activities)


def test_more_identifiers_than_a_statement_joins_are_merged(monkeypatch):
    monkeypatch.setattr(timeline, "BATCH", 2)
    person = PersonFactory()
    for _ in range(5):
        visitor = OwnershipFactory(person=person).identifier
        ActivityFactory.create_batch(2, identifier=visitor)

    assert [row for page in pages(person) for row in page] == list(person.activities)


def test_a_filter_holds_on_every_page():
    person = PersonFactory()
    for n in range(8):
        ActivityFactory(identifier=person.anchor, name="odd" if n % 2 else "even")

    rows = [
        row
        for page in pages(person, activities=Activity.objects.filter(name="odd"))
        for row in page
    ]

    assert [row.name for row in rows] == ["odd"] * 4


def test_the_count_stops_at_the_ceiling(monkeypatch):
    monkeypatch.setattr(paging, "CEILING", 4)
    monkeypatch.setattr(timeline, "CEILING", 4)
    person = PersonFactory()
    ActivityFactory.create_batch(6, identifier=person.anchor)

    paginator = TimelinePaginator(Activity.objects.all(), 3, spans=spans(person))

    assert (paginator.count, paginator.is_capped, paginator.num_pages) == (4, True, 2)


def test_a_history_of_the_ceiling_is_not_called_longer(monkeypatch):
    monkeypatch.setattr(paging, "CEILING", 4)
    monkeypatch.setattr(timeline, "CEILING", 4)
    person = PersonFactory()
    ActivityFactory.create_batch(4, identifier=person.anchor)

    paginator = TimelinePaginator(Activity.objects.all(), 3, spans=spans(person))

    assert (paginator.count, paginator.is_capped) == (4, False)


def test_somebody_without_identifiers_has_one_empty_page():
    lead = LeadFactory(email="a@example.com", root=PersonFactory())

    assert pages(lead) == [[]]


def test_a_page_takes_two_queries_however_long_the_history(contested, django_assert_num_queries):
    parts = spans(contested)

    with django_assert_num_queries(2):
        list(TimelinePaginator(Activity.objects.all(), 3, spans=parts).page(2))


def test_pages_further_back_than_was_read_at_first_are_whole(monkeypatch):
    monkeypatch.setattr(timeline, "SAMPLE", 4)
    person = PersonFactory()
    ActivityFactory.create_batch(11, identifier=person.anchor)

    assert [row for page in pages(person) for row in page] == list(person.activities)
