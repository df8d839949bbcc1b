from __future__ import annotations

import pytest

from identity_tracking.ingest.process import process
from identity_tracking.messages import (
    Description,
    Order,
    Relation,
    Type,
    microseconds,
    object_ref,
)
from identity_tracking.models import TrackedObject
from tests.factories import (
    LeadFactory,
    ObjectRelationshipFactory,
    PersonFactory,
    TrackedObjectFactory,
)
from tests.saying import hour, message

pytestmark = pytest.mark.django_db

ACME = object_ref("company", "acme")


@pytest.mark.parametrize("term", ["company: acme", "company:acme", "acme"])
def test_search_finds_an_object(staff, term):
    TrackedObjectFactory(object_type="company", object_id="acme")
    TrackedObjectFactory(object_type="course", object_id="optics")

    text = staff.text("trackedobject", q=term)

    assert "acme company" in text
    assert "optics" not in text


def test_the_page_of_an_object_shows_who_relates_to_it(staff):
    acme = TrackedObjectFactory(object_id="acme", attributes={"plan": "pro"})
    person = PersonFactory(attributes={"name": "Ada"})
    lead = LeadFactory(email="folded@example.com", root=person)
    for identifier in (person.anchor, lead.anchor):
        ObjectRelationshipFactory(object=acme, identifier=identifier, attributes={"role": "boss"})
    ObjectRelationshipFactory(object=acme, identifier__value="a-visitor")

    text = staff.text("trackedobject", acme)

    assert "plan pro" in text
    assert text.count("Ada role boss") == 2
    assert "a-visitor anonymous id" in text


def test_attributes_tell_where_they_are_from_and_what_was_claimed(staff):
    told = message(
        Type.GROUP,
        id="42",
        relations=(Relation(object=ACME),),
        properties={"plan": "pro", "seats": 4},
        trusted=True,
        message_id="m-1",
    )
    process([told], described=[said(city="Bern"), said(trusted=False, plan="free")])
    acme = TrackedObject.objects.get()

    html, text = staff.read("trackedobject", acme), staff.text("trackedobject", acme)

    assert "plan pro 11/02/2026 , shop , trusted claimed, not taken free" in text
    assert "city Bern" in text
    assert acme.pk.hex in text
    assert html.count(f"/activity/{told.key}/") == 2  # of "plan" and "seats": a call's has no page


def test_a_deleted_object_is_not_listed_and_its_page_says_so(staff):
    process([], described=[said(plan="pro"), said(at=1, present=False)])

    assert "acme company" not in staff.text("trackedobject")
    assert "deleted" in staff.text("trackedobject", TrackedObject.objects.get())


def said(*, at=0, trusted=True, present=True, **attributes):
    order = Order(microseconds(hour(at)), f"{attributes}", trusted, "shop")
    return Description(
        object=ACME, order=order, received_at=hour(at), attributes=attributes, present=present
    )


def test_whoever_relates_to_an_object_is_paged(staff):
    acme = TrackedObjectFactory()
    for n in range(51):
        ObjectRelationshipFactory(object=acme, identifier__value=f"visitor-no-{n}.")

    assert "visitor-no-0." not in staff.text("trackedobject", acme)
    assert "visitor-no-0." in staff.text("trackedobject", acme, page=2)


def test_an_object_of_nobody_says_so(staff):
    assert "Nobody yet." in staff.text("trackedobject", TrackedObjectFactory())
