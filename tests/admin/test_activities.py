from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from identity_tracking.admin import activities
from identity_tracking.messages import Type
from tests.factories import START, ActivityFactory, OwnershipFactory, PersonFactory

pytestmark = pytest.mark.django_db


def test_activities_are_listed_newest_first_with_their_person(staff):
    person = PersonFactory(user_id="42", attributes={"name": "Ada"})
    ActivityFactory(identifier=person.anchor, name="earlier")
    ActivityFactory(identifier__value="a-stranger", name="later")

    text = staff.text("activity")

    assert text.index("later event a-stranger -") < text.index("earlier event 42 Ada")


def test_a_long_anonymous_id_is_shown_by_its_beginning(staff):
    value = "a9cbb6bc-570c-45e5-a92a-1de1d5de1936"
    activity = ActivityFactory(identifier__value=value)

    assert f'title="{value}"><bdi>a9cbb6bc…</bdi>' in staff.read("activity")
    assert value in staff.text("activity", activity)


def test_activities_are_filtered_by_type(staff):
    ActivityFactory(name="an-event")
    ActivityFactory(type=Type.FORM, name="a-form")

    text = staff.text("activity", type="form")

    assert "a-form" in text
    assert "an-event" not in text


def test_a_type_that_does_not_exist_filters_nothing(staff):
    ActivityFactory(name="an-event")

    assert "an-event" in staff.text("activity", type="nonsense")


def test_a_filter_reads_only_the_newest(staff, monkeypatch):
    monkeypatch.setattr(activities, "WINDOW", 2)
    for n in range(5):
        ActivityFactory(name=f"event-{n}.", timestamp=START + timedelta(hours=n))

    text = staff.text("activity", type="track")

    assert "event-2." in text
    assert "event-1." not in text


def test_search_finds_a_message_by_its_id(staff):
    wanted = ActivityFactory(source="crm", trusted=True, message_id="m-1", name="wanted")
    ActivityFactory(message_id="m-12", name="unwanted")

    for term in ("m-1", str(wanted.pk)):
        text = staff.text("activity", q=term)
        assert "wanted" in text
        assert "unwanted" not in text


def test_search_finds_the_activities_of_an_identifier(staff):
    person = PersonFactory(user_id="42")
    ActivityFactory(identifier=person.anchor, name="wanted")
    ActivityFactory(identifier=OwnershipFactory(person=person).identifier, name="unwanted")

    text = staff.text("activity", q="42")

    assert "wanted event 42" in text
    assert "unwanted" not in text


def test_search_finds_an_event_by_its_full_name(staff):
    ActivityFactory(name="ordered")
    ActivityFactory(name="ordered again")

    text = staff.text("activity", q=" ordered ")

    assert "ordered event" in text
    assert "ordered again" not in text


def test_the_page_of_an_activity_shows_all_it_holds(staff):
    person = PersonFactory(user_id="42", attributes={"name": "Ada"})
    activity = ActivityFactory(
        identifier=person.anchor,
        properties={"cart": {"sku": "A1"}},
        context={"page": {"url": "https://shop.example/"}, "ip": "192.0.2.0"},
    )

    text = staff.text("activity", activity)

    assert '"cart": { "sku": "A1" }' in text
    assert '"ip": "192.0.2.0"' in text
    assert "Person: Ada" in text
    assert 'href="https://shop.example/"' in staff.read("activity", activity)


@pytest.mark.parametrize("context", [{}, {"page": None}, {"page": "x"}, {"page": {"url": 1}}])
def test_a_context_of_any_shape_is_shown(staff, context):
    activity = ActivityFactory(identifier=PersonFactory().anchor, context=context)

    assert activity.name in staff.text("activity")
    assert activity.name in staff.text("activity", activity)
    assert activity.name in staff.text("person", activity.person)


def test_the_timeline_leads_to_the_page_of_an_activity(staff):
    person = PersonFactory()
    activity = ActivityFactory(identifier=person.anchor)

    address = reverse("admin:identity_tracking_activity_change", args=[activity.pk])

    assert address in staff.read("person", person)
