from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from identity_tracking.admin import paging
from tests.factories import (
    START,
    IdentifierFactory,
    LeadFactory,
    OwnershipFactory,
    PersonFactory,
)

pytestmark = pytest.mark.django_db


def test_people_are_listed_newest_seen_first(staff):
    PersonFactory(user_id="early", last_seen=START)
    PersonFactory(user_id="late", last_seen=START + timedelta(days=1))

    text = staff.text("person")

    assert text.index("late") < text.index("early")


def test_people_who_folded_are_not_listed(staff):
    person = PersonFactory(user_id="42")
    LeadFactory(email="folded@example.com", root=person)

    assert "folded@example.com" not in staff.text("person")


@pytest.mark.parametrize(("chosen", "other"), [("identified", "lead"), ("lead", "identified")])
def test_people_are_filtered_by_whether_their_id_is_known(staff, chosen, other):
    PersonFactory(user_id="an-identified-one")
    LeadFactory(email="a-lead-one@example.com")

    text = staff.text("person", **{"is": chosen})

    assert f"a-{chosen}-one" in text.replace("an-", "a-")
    assert f"a-{other}-one" not in text.replace("an-", "a-")


def test_the_list_says_who_is_a_lead_and_dims_what_is_no_name(staff):
    PersonFactory(user_id="42", email=None, attributes={"name": "Ada"})
    LeadFactory(email="lead@example.com")

    assert "Ada identified 42" in staff.text("person")
    assert "lead@example.com lead - lead@example.com" in staff.text("person")
    assert '<bdi class="it-nameless">lead@example.com</bdi>' in staff.read("person")


def test_people_are_filtered_by_when_they_were_last_seen(staff):
    PersonFactory(user_id="of-today", last_seen=timezone.now())
    PersonFactory(user_id="of-long-ago", last_seen=timezone.now() - timedelta(days=40))

    text = staff.text("person", last_seen__gte=(timezone.now() - timedelta(days=7)).isoformat())

    assert "of-today" in text
    assert "of-long-ago" not in text


@pytest.mark.parametrize(
    "term", ["42", "Ada@Example.com ", "visitor-x", "c" * 32, "cio_" + "c" * 32]
)
def test_search_finds_a_person_by_every_identifier_in_full(staff, term):
    person = PersonFactory(user_id="42", email="ada@example.com", cio_id="c" * 32)
    OwnershipFactory(person=person, identifier=IdentifierFactory(value="visitor-x"))
    PersonFactory(user_id="421", email="another@example.com")

    text = staff.text("person", q=term)

    assert "ada@example.com" in text
    assert "another@example.com" not in text


def test_search_finds_everybody_who_ever_owned_a_shared_browser(staff):
    visitor = IdentifierFactory(value="kiosk")
    OwnershipFactory(person__user_id="first", identifier=visitor, until=START)
    OwnershipFactory(person__user_id="second", identifier=visitor, since=START)

    text = staff.text("person", q="kiosk")

    assert "first" in text
    assert "second" in text


def test_search_finds_the_person_that_a_lead_became(staff):
    person = PersonFactory(user_id="42")
    LeadFactory(email=None, cio_id="f" * 32, root=person, anchor__value="old@example.com")

    assert "42" in staff.text("person", q="f" * 32)


def test_search_by_a_beginning_comes_only_after_what_is_meant_exactly(staff):
    PersonFactory(user_id="ada", email="exact@example.com")
    PersonFactory(user_id="adam", email="longer@example.com")

    assert "longer@example.com" not in staff.text("person", q="ada")
    assert "longer@example.com" in staff.text("person", q="adam")


@pytest.mark.parametrize("term", ["ord", "ADA@exam", "ada@"])
def test_search_finds_the_beginning_of_an_id_or_email(staff, term):
    PersonFactory(user_id="order-42", email="ada@example.com")
    PersonFactory(user_id="xord", email="xada@example.com")

    text = staff.text("person", q=term)

    assert "order-42" in text
    assert "xord" not in text


def test_a_beginning_is_not_a_pattern(staff):
    PersonFactory(user_id="person-1")

    assert "0 people" in staff.text("person", q="per%")


def test_lists_count_to_a_ceiling(staff, monkeypatch):
    monkeypatch.setattr(paging, "CEILING", 2)
    PersonFactory.create_batch(3)

    assert "more than 2 people" in staff.text("person")


def test_nobody_may_add_or_change_anybody(staff):
    person = PersonFactory()
    change = reverse("admin:identity_tracking_person_change", args=[person.pk])

    assert staff.post(change, {"cio_id": "x"}).status_code == 403
    assert staff.get(reverse("admin:identity_tracking_person_add")).status_code == 403


@pytest.mark.parametrize("key", ["not-a-key", "00000000-0000-0000-0000-000000000000"])
def test_the_page_of_nobody_leads_back(staff, key):
    response = staff.get(reverse("admin:identity_tracking_person_change", args=[key]))

    assert response.status_code == 302


def test_the_page_of_somebody_who_folded_leads_to_whom_they_became(staff):
    person = PersonFactory(user_id="42")
    lead = LeadFactory(email="ada@example.com", root=person)

    response = staff.get(reverse("admin:identity_tracking_person_change", args=[lead.pk]))

    assert response.url == reverse("admin:identity_tracking_person_change", args=[person.pk])
