from __future__ import annotations

import pytest

from tests.factories import (
    LeadFactory,
    ObjectRelationshipFactory,
    PersonFactory,
    TrackedObjectFactory,
)

pytestmark = pytest.mark.django_db


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


def test_whoever_relates_to_an_object_is_paged(staff):
    acme = TrackedObjectFactory()
    for n in range(51):
        ObjectRelationshipFactory(object=acme, identifier__value=f"visitor-no-{n}.")

    assert "visitor-no-0." not in staff.text("trackedobject", acme)
    assert "visitor-no-0." in staff.text("trackedobject", acme, page=2)


def test_an_object_of_nobody_says_so(staff):
    assert "Nobody yet." in staff.text("trackedobject", TrackedObjectFactory())
