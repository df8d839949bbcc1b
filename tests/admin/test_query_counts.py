"""Every screen takes as many queries for fifty rows as for two, and never more than 15."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity_tracking.identifiers import Kind
from identity_tracking.messages import Type
from identity_tracking.models import MergeOperation
from identity_tracking.sources import make_key
from tests.factories import (
    START,
    ActivityFactory,
    ClaimFactory,
    ConflictFactory,
    FailedEventFactory,
    FormFactory,
    FormFieldFactory,
    IdentifierFactory,
    LeadFactory,
    ObjectRelationshipFactory,
    OwnershipFactory,
    PersonFactory,
    SourceFactory,
    TrackedObjectFactory,
)

pytestmark = pytest.mark.django_db
LIMIT = 15
LISTS = [
    "person",
    "identifier",
    "activity",
    "trackedobject",
    "conflict",
    "failedevent",
    "mergeoperation",
    "form",
    "source",
]


def fill(count):
    """Make everything there is, ``count`` of each, all of it one person's."""
    person = PersonFactory(user_id=f"with-{count}", attributes={"plan": "pro"})
    acme = TrackedObjectFactory(object_id=f"with-{count}")
    for n in range(count):
        visitor = IdentifierFactory()
        OwnershipFactory(person=person, identifier=visitor, until=START)
        OwnershipFactory(identifier=visitor, since=START)
        LeadFactory(root=person)
        lead = LeadFactory()
        activity = ActivityFactory(
            identifier=(person.anchor, visitor, lead.anchor)[n % 3], type=list(Type)[n % 8]
        )
        ClaimFactory(weak=visitor, target=person.anchor, activity=activity)
        ObjectRelationshipFactory(identifier=person.anchor)
        ObjectRelationshipFactory(identifier=lead.anchor, object=acme)
        ConflictFactory(identifier=visitor, other=lead.anchor, activity=activity)
        FailedEventFactory()
        FormFieldFactory(form__last_seen=START + timedelta(minutes=n))
        make_key(SourceFactory())
        IdentifierFactory()
        sides = {"primary": person, "secondary": LeadFactory(), "by": str(n)}
        MergeOperation.objects.create(at=START, undone_at=START, **sides)
    shared = IdentifierFactory(kind=Kind.ANONYMOUS_ID, value=f"shared-{count}")
    for n in range(count):
        since = START + timedelta(hours=n)
        OwnershipFactory(identifier=shared, since=since, until=since + timedelta(hours=1))
        ActivityFactory(identifier=shared)
        ClaimFactory(weak=shared)
        ObjectRelationshipFactory(identifier=shared)
        ConflictFactory(identifier=shared, detail=str(n))
    return {"person": person, "trackedobject": acme, "identifier": shared}


def queries(staff, *args, **query):
    with CaptureQueriesContext(connection) as captured:
        staff.read(*args, **query)
    return len(captured)


@pytest.mark.parametrize("model", LISTS)
def test_a_list_of_fifty_takes_the_queries_of_a_list_of_two(staff, model):
    fill(2)
    staff.read(model)
    of_two = queries(staff, model)
    fill(50)

    assert queries(staff, model) == of_two <= LIMIT


@pytest.mark.parametrize(
    ("model", "term"),
    [
        ("person", "with-50"),
        ("person", "shared-50"),
        ("person", "lead-"),
        ("identifier", "shared-50"),
        ("activity", "shared-50"),
        ("activity", "added_to_cart"),
        ("trackedobject", "company"),
        ("conflict", "shared-50"),
        ("mergeoperation", "with-50"),
    ],
)
def test_a_search_takes_few_queries(staff, model, term):
    fill(50)

    assert queries(staff, model, q=term) <= LIMIT


@pytest.mark.case("DOS-10")
@pytest.mark.parametrize("model", ["person", "identifier", "trackedobject"])
def test_a_page_with_fifty_of_all_takes_the_queries_of_one_with_two(staff, model):
    small, large = fill(2)[model], fill(50)[model]
    staff.read(model, small)

    assert queries(staff, model, large) == queries(staff, model, small) <= LIMIT


@pytest.mark.parametrize(
    ("model", "make"),
    [
        ("activity", ActivityFactory),
        ("conflict", ConflictFactory),
        ("failedevent", FailedEventFactory),
        ("form", FormFactory),
    ],
)
def test_a_row_of_its_own_takes_few_queries(staff, model, make):
    assert queries(staff, model, make()) <= LIMIT


def test_further_pages_take_no_more(staff):
    person = PersonFactory()
    ActivityFactory.create_batch(120, identifier=person.anchor)
    staff.read("person", person)

    assert queries(staff, "person", person, page=3) == queries(staff, "person", person)


def test_a_filter_takes_no_more_than_the_limit(staff):
    person = fill(50)["person"]
    staff.read("person", person)

    assert queries(staff, "person", person, name="x", type="page") <= LIMIT


@pytest.mark.parametrize(
    ("model", "query"),
    [
        ("person", {"attribute": "plan", "value": "pro", "seen": "before", "is": "identified"}),
        ("person", {"object": "company: with-50"}),
        ("activity", {"on": "2026-11", "type": "track"}),
        ("activity", {"on": "2026", "q": "added_to_cart"}),
        ("conflict", {"is": "all"}),
        ("conflict", {"is": "settled"}),
    ],
)
def test_a_filter_of_a_list_takes_few_queries(staff, model, query):
    fill(50)

    assert queries(staff, model, **query) <= LIMIT


def test_a_conflict_of_many_claims_takes_few_queries(staff):
    shared = fill(50)["identifier"]

    assert queries(staff, "conflict", shared.conflicts.first()) <= LIMIT


def test_a_form_of_fifty_fields_takes_the_queries_of_one_with_two(staff):
    small, large = FormFactory(), FormFactory()
    FormFieldFactory.create_batch(2, form=small)
    FormFieldFactory.create_batch(50, form=large)
    staff.read("form", small)

    assert queries(staff, "form", large) == queries(staff, "form", small) <= LIMIT
