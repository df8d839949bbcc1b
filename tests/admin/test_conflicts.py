from __future__ import annotations

import pytest
from django.urls import reverse

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
    ConflictFactory(code=Code.LINK_ELSEWHERE, detail="the-wanted")
    ConflictFactory(code=Code.TOO_MANY_PEOPLE, detail="unwanted")

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
    ConflictFactory(identifier=email, detail="by-the-one")
    ConflictFactory(identifier=IdentifierFactory(), other=email, detail="by-the-other")
    ConflictFactory(detail="unrelated")

    text = staff.text("conflict", q="ada@example.com")

    assert "by-the-one" in text
    assert "by-the-other" in text
    assert "unrelated" not in text


def test_a_conflict_leads_to_its_message(staff):
    activity = ActivityFactory()
    conflict = ConflictFactory(activity=activity)

    address = reverse("admin:identity_tracking_activity_change", args=[activity.pk])

    assert address in staff.read("conflict", conflict)
