from __future__ import annotations

from datetime import timedelta

import pytest

from identity_tracking.admin import visitors
from identity_tracking.identifiers import Kind
from tests.factories import (
    START,
    ActivityFactory,
    ClaimFactory,
    ConflictFactory,
    IdentifierFactory,
    ObjectRelationshipFactory,
    OwnershipFactory,
    PersonFactory,
)

pytestmark = pytest.mark.django_db


def test_anonymous_visitors_are_listed_newest_first(staff):
    IdentifierFactory(value="earlier", created_at=START)
    IdentifierFactory(value="later", created_at=START + timedelta(hours=1))

    text = staff.text("identifier")

    assert text.startswith("Anonymous visitors")
    assert text.index("later") < text.index("earlier")


def test_whoever_is_known_is_no_anonymous_visitor(staff):
    OwnershipFactory(identifier__value="of-somebody")
    PersonFactory(user_id="somebody")

    assert "0 visitors and identifiers" in staff.text("identifier")


def test_visitors_are_looked_for_among_the_newest_browsers(staff, monkeypatch):
    monkeypatch.setattr(visitors, "WINDOW", 2)
    for hours, value in enumerate(("long-gone", "of-before", "of-somebody", "of-now")):
        IdentifierFactory(value=value, created_at=START + timedelta(hours=hours))
    OwnershipFactory(identifier__value="of-somebody")

    text = staff.text("identifier")

    found = [value for value in ("long-gone", "of-before", "of-now") if value in text]
    assert found == ["of-before", "of-now"]


def test_the_list_says_when_a_visitor_was_last_here(staff):
    ActivityFactory(timestamp=START + timedelta(days=30))

    assert "Dec. 2, 2026" in staff.text("identifier")


@pytest.mark.parametrize("term", ["of-somebody", "ada@example.com", "42"])
def test_search_finds_every_identifier(staff, term):
    person = PersonFactory(user_id="42", email="ada@example.com")
    OwnershipFactory(identifier__value="of-somebody", person=person)

    assert "1 identifier" in staff.text("identifier", q=term)


def test_the_page_of_a_visitor_shows_the_history(staff):
    visitor = IdentifierFactory()
    ActivityFactory(identifier=visitor, name="an-event")
    ActivityFactory(name="of-another")
    ObjectRelationshipFactory(identifier=visitor, object__object_id="acme")
    ConflictFactory(identifier=visitor)

    text = staff.text("identifier", visitor)

    assert "nobody: an anonymous visitor" in text
    assert "an-event" in text
    assert "company: acme" in text
    assert "claimed for too many people" in text
    assert "of-another" not in text


def test_the_page_of_a_shared_browser_says_whose_it_was_and_when(staff):
    visitor = IdentifierFactory()
    first, second = PersonFactory(user_id="first"), PersonFactory(user_id="second")
    hour = timedelta(hours=1)
    OwnershipFactory(identifier=visitor, person=first, until=START)
    OwnershipFactory(
        identifier=visitor, person=first, after=second, since=START, until=START + hour
    )
    OwnershipFactory(identifier=visitor, person=second, since=START + hour)

    text = staff.text("identifier", visitor)

    assert "second since 11/02/2026 4 a.m. nobody: between two people from" in text
    assert "first until 11/02/2026 3 a.m." in text


def test_the_page_of_an_email_says_who_claimed_it(staff):
    email = IdentifierFactory(kind=Kind.EMAIL, value="ada@example.com", known=True)
    ClaimFactory(weak=email, target=PersonFactory(user_id="42").anchor)

    text = staff.text("identifier", email)

    assert "known to the site yes" in text
    assert "claimed for id 42 , by an unproven message" in text


def test_the_list_is_called_what_it_shows(staff):
    IdentifierFactory(value="visitor-x")

    assert staff.text("identifier").startswith("Anonymous visitors")
    assert staff.text("identifier", q="visitor-x").startswith("Visitors and identifiers")
