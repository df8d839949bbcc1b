from __future__ import annotations

import pytest
from django.urls import reverse

from tests.factories import (
    ActivityFactory,
    ConflictFactory,
    FailedEventFactory,
    IdentifierFactory,
    ObjectRelationshipFactory,
    PersonFactory,
    SourceFactory,
    TrackedObjectFactory,
)

pytestmark = pytest.mark.django_db

SECTIONS = {
    "view_activity": "an-event",
    "view_objectrelationship": "company: acme",
    "view_conflict": "claimed for too many people",
}


@pytest.fixture
def person():
    person = PersonFactory(user_id="42", attributes={"name": "Ada"})
    ActivityFactory(identifier=person.anchor, name="an-event")
    ObjectRelationshipFactory(identifier=person.anchor, object__object_id="acme")
    ConflictFactory(identifier=person.anchor)
    return person


@pytest.mark.case("AUTH-11")
@pytest.mark.parametrize("right", ["view_person", "change_person"])
def test_whoever_may_see_people_alone_sees_nothing_else_of_them(staff_with, person, right):
    text = staff_with(right).text("person", person)

    assert "Ada" in text
    assert not [words for words in (*SECTIONS.values(), "Timeline") if words in text]


@pytest.mark.case("AUTH-11")
@pytest.mark.parametrize("right", SECTIONS)
def test_each_section_has_its_own_permission(staff_with, person, right):
    text = staff_with("view_person", right).text("person", person)

    assert [one for one, words in SECTIONS.items() if words in text] == [right]


@pytest.mark.parametrize("right", SECTIONS)
def test_sections_of_a_visitors_page_have_them_too(staff_with, right):
    visitor = IdentifierFactory()
    ActivityFactory(identifier=visitor, name="an-event")
    ObjectRelationshipFactory(identifier=visitor, object__object_id="acme")
    ConflictFactory(identifier=visitor)

    text = staff_with("view_identifier", right).text("identifier", visitor)

    assert [one for one, words in SECTIONS.items() if words in text] == [right]


def test_a_type_to_show_gives_nothing_away(staff_with, person):
    text = staff_with("view_person").text("person", person, type="track", page=1)

    assert "an-event" not in text


def test_whoever_may_not_see_people_sees_none_elsewhere(staff_with, person):
    clerk = staff_with(
        "view_activity",
        "view_identifier",
        "view_trackedobject",
        "view_objectrelationship",
        "view_conflict",
    )
    acme = person.relationships.get().object

    texts = [
        clerk.read("activity"),
        clerk.read("activity", person.activities.get()),
        clerk.read("conflict"),
        clerk.read("conflict", person.anchor.conflicts.get()),
        clerk.read("identifier", person.anchor),
        clerk.read("trackedobject", acme),
    ]

    page = reverse("admin:identity_tracking_person_change", args=[person.pk])
    assert not [text for text in texts if "Ada" in text or page in text]


def test_whoever_may_not_see_relationships_sees_nobody_at_an_object(staff_with, person):
    acme = person.relationships.get().object

    assert "Ada" not in staff_with("view_trackedobject", "view_person").text("trackedobject", acme)


@pytest.mark.case("AUTH-11")
def test_whoever_may_not_see_activity_reads_no_time_of_it(staff_with):
    ActivityFactory()

    assert "Last activity" not in staff_with("view_identifier").text("identifier")


@pytest.mark.parametrize(
    ("model", "make"),
    [
        ("person", PersonFactory),
        ("identifier", IdentifierFactory),
        ("activity", ActivityFactory),
        ("trackedobject", TrackedObjectFactory),
        ("conflict", ConflictFactory),
        ("failedevent", FailedEventFactory),
        ("source", SourceFactory),
    ],
)
def test_a_screen_is_closed_without_its_permission(staff_with, model, make):
    clerk, row = staff_with(), make()

    lists = clerk.get(reverse(f"admin:identity_tracking_{model}_changelist"))
    page = clerk.get(reverse(f"admin:identity_tracking_{model}_change", args=[row.pk]))

    assert (lists.status_code, page.status_code) == (403, 403)


def test_where_a_person_folded_to_is_not_told_without_permission(staff_with, person):
    lead = PersonFactory(user_id="43", root=person)

    page = reverse("admin:identity_tracking_person_change", args=[lead.pk])

    assert staff_with("view_activity").get(page).status_code == 403
