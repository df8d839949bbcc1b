from __future__ import annotations

import pytest
from django.urls import reverse

from identity_tracking.admin.wording import WHAT_HAPPENED
from identity_tracking.models.conflict import Code
from tests.factories import (
    ActivityFactory,
    ConflictFactory,
    IdentifierFactory,
    LeadFactory,
    PersonFactory,
)

pytestmark = pytest.mark.django_db


def test_conflicts_are_filtered_by_code(staff):
    ConflictFactory(code=Code.LINK_ELSEWHERE, identifier__value="the-wanted")
    ConflictFactory(code=Code.TOO_MANY_PEOPLE, identifier__value="unwanted")

    text = staff.text("conflict", code__exact=Code.LINK_ELSEWHERE.value)

    assert "the-wanted" in text
    assert "unwanted" not in text


def test_a_conflict_leads_to_its_person(staff):
    person = PersonFactory()
    lead = LeadFactory(email="ada@example.com")
    lead.root = person
    lead.save()
    conflict = ConflictFactory(identifier=lead.anchor)

    address = reverse("admin:identity_tracking_person_change", args=[person.pk])

    assert address in staff.read("conflict")
    assert address in staff.read("conflict", conflict)


def test_search_finds_conflicts_by_either_identifier(staff):
    email = LeadFactory(email="ada@example.com").anchor
    ConflictFactory(identifier=email)
    ConflictFactory(identifier=IdentifierFactory(value="by-the-other"), other=email)
    ConflictFactory(identifier__value="unrelated")

    text = staff.text("conflict", q="ada@example.com")

    assert "email ada@example.com was claimed" in text
    assert "by-the-other" in text
    assert "unrelated" not in text


def test_a_conflict_names_its_person(staff):
    person = PersonFactory(user_id="42", attributes={"name": "Ada Lovelace"})
    conflict = ConflictFactory(identifier=person.anchor)

    assert "a shared device. Ada Lovelace" in staff.text("conflict")
    assert "Person: Ada Lovelace" in staff.text("conflict", conflict)


def test_who_may_not_see_people_is_told_no_name(staff_with):
    person = PersonFactory(user_id="42", attributes={"name": "Ada Lovelace"})
    conflict = ConflictFactory(identifier=person.anchor)
    clerk = staff_with("view_conflict")

    assert "Ada" not in clerk.text("conflict")
    assert "Ada" not in clerk.text("conflict", conflict)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (Code.IDENTIFIER_REFUSED, "id 42 came with an identifier that could not be used: email."),
        (Code.UNKNOWN_CIO_ID, "A message of id 42 named a cio_id that nobody has."),
        (Code.EMAIL_OF_TWO_IDS, "Two ids use id 42 : they stay two people."),
        (Code.EMAIL_NOT_COUNTED, "id 77 claimed id 42 , unproven: not counted"),
        (Code.TOO_MANY_PEOPLE, "id 42 was claimed for too many people: a shared device."),
        (Code.LINK_ELSEWHERE, "link was opened on the browser of id 42 : nobody was joined."),
        ("of-a-later-version", "of-a-later-version"),
    ],
)
def test_a_conflict_says_what_happened(staff, code, sentence):
    one, other = PersonFactory(user_id="42").anchor, PersonFactory(user_id="77").anchor
    conflict = ConflictFactory(code=code, identifier=one, other=other, detail="email")

    assert sentence in staff.text("conflict")
    assert sentence in staff.text("conflict", conflict)


def test_every_code_has_its_sentence():
    assert set(WHAT_HAPPENED) == set(Code)


def test_a_claim_of_somebody_who_is_not_named_is_told(staff):
    ConflictFactory(code=Code.EMAIL_NOT_COUNTED)

    assert "somebody claimed anonymous id" in staff.text("conflict")


def test_a_conflict_leads_to_its_message(staff):
    activity = ActivityFactory()
    conflict = ConflictFactory(activity=activity)

    address = reverse("admin:identity_tracking_activity_change", args=[activity.pk])

    assert address in staff.read("conflict", conflict)
