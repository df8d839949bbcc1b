from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from identity_tracking.admin import people_filters
from identity_tracking.admin.attribute_values import meant
from tests.factories import (
    START,
    LeadFactory,
    ObjectRelationshipFactory,
    PersonFactory,
    TrackedObjectFactory,
)

pytestmark = pytest.mark.django_db


def listed(staff, **query):
    """Return the ids of the people whom the list shows."""
    rows = staff.read("person", **query).split('id="changelist-form"')[1]
    return {part.split("<")[0] for part in rows.split('class="field-user_id">')[1:]}


@pytest.mark.parametrize(
    ("seen", "who"),
    [
        ("today", {"of-today"}),
        ("7", {"of-today", "of-this-week"}),
        ("30", {"of-today", "of-this-week", "of-this-month"}),
        ("before", {"of-long-ago"}),
        ("nonsense", {"of-today", "of-this-week", "of-this-month", "of-long-ago"}),
    ],
)
def test_people_are_filtered_by_when_they_were_seen(staff, seen, who):
    now = timezone.now()
    PersonFactory(user_id="of-today", last_seen=now)
    PersonFactory(user_id="of-this-week", last_seen=now - timedelta(days=3))
    PersonFactory(user_id="of-this-month", last_seen=now - timedelta(days=20))
    PersonFactory(user_id="of-long-ago", last_seen=now - timedelta(days=40))

    assert listed(staff, seen=seen) == who


@pytest.mark.parametrize(
    ("text", "who"),
    [
        ("5", {"number", "text"}),
        ("5.0", {"number"}),
        ("true", {"yes", "text-yes"}),
        ("1", set()),
        ("pro", {"pro"}),
        ("Pro", set()),
        ("", {"number", "text", "yes", "text-yes", "pro", "deep"}),
        ('{"a": 1}', set()),
        ("null", set()),
        ("NaN", set()),
        ("1e400", set()),
        ("9" * 400, set()),
        ("[" * 5_000, set()),
        ("'\"\\", set()),
    ],
)
def test_people_are_filtered_by_an_attribute_of_a_value(staff, text, who):
    values = {
        "number": 5,
        "text": "5",
        "yes": True,
        "text-yes": "true",
        "pro": "pro",
        "deep": {"plan": "pro"},
    }
    for user_id, value in values.items():
        PersonFactory(user_id=user_id, attributes={"plan": value})
    PersonFactory(user_id="without", attributes={"other": "pro"})

    assert listed(staff, attribute="plan", value=text) == who


@pytest.mark.parametrize("name", ["5", 'a"b', "a'b", "a.b", "a__in", "$", "a\\", "%s", "ä", "{}"])
@pytest.mark.parametrize("value", ["pro", ""])
def test_an_attribute_may_have_any_name(staff, name, value):
    PersonFactory(user_id="with", attributes={name: "pro"})
    PersonFactory(user_id="without", attributes={"other": "pro"})

    assert listed(staff, attribute=name, value=value) == {"with"}


def test_a_name_that_is_none_finds_nobody(staff):
    PersonFactory(attributes={"plan": "pro"})

    assert listed(staff, attribute="pl\0an\0s", value="p\0ro") == set()


def test_a_text_may_mean_more_than_itself():
    assert meant("5") == ["5", 5]
    assert meant("true") == ["true", True]
    assert meant("plan") == ["plan"]


def test_attributes_are_looked_for_among_the_newest_seen(staff, monkeypatch):
    monkeypatch.setattr(people_filters, "NEWEST", 2)
    for n in range(5):
        seen = START + timedelta(hours=n)
        PersonFactory(user_id=f"p-{n}", last_seen=seen, attributes={"plan": "pro"})

    assert listed(staff, attribute="plan", value="pro") == {"p-2", "p-3", "p-4"}
    assert "Among the 10000 people seen last." in staff.text("person")


def test_people_are_filtered_by_an_object_they_relate_to(staff):
    acme = TrackedObjectFactory(object_type="company", object_id="acme: ltd")
    ada, _ben = PersonFactory(user_id="ada"), PersonFactory(user_id="ben")
    ObjectRelationshipFactory(object=acme, identifier=ada.anchor)

    assert listed(staff, object="company: acme: ltd") == {"ada"}
    assert listed(staff, object="company:nothing") == set()


def test_at_a_large_object_people_are_looked_for_among_the_newest_seen(staff, monkeypatch):
    monkeypatch.setattr(people_filters, "RELATED", 2)
    monkeypatch.setattr(people_filters, "NEWEST", 1)
    acme = TrackedObjectFactory(object_type="company", object_id="acme")
    for n in range(3):
        person = PersonFactory(user_id=f"p-{n}", last_seen=START + timedelta(hours=n))
        ObjectRelationshipFactory(object=acme, identifier=person.anchor)

    assert listed(staff, object="company: acme") == {"p-1", "p-2"}
    assert staff.text("person", object="company: acme").count("people seen last.") == 2


def test_the_page_of_an_object_leads_to_its_people(staff):
    acme = TrackedObjectFactory(object_type="company", object_id="acme & co")

    assert "/person/?object=company%3A+acme+%26+co" in staff.read("trackedobject", acme)


def test_who_may_not_see_relationships_cannot_ask_for_them(staff_with):
    acme = TrackedObjectFactory(object_type="company", object_id="acme")
    ObjectRelationshipFactory(object=acme, identifier=PersonFactory(user_id="ada").anchor)
    PersonFactory(user_id="ben")
    clerk = staff_with("view_person", "view_trackedobject")

    assert listed(clerk, object="company: acme") == {"ada", "ben"}
    assert "?object=" not in clerk.read("trackedobject", acme)


def test_filters_keep_one_another(staff):
    PersonFactory(user_id="wanted", attributes={"plan": "pro"})
    PersonFactory(user_id="other", attributes={"plan": "free"})
    LeadFactory(attributes={"plan": "pro"})
    asked = {"is": "identified", "attribute": "plan", "value": "pro"}

    html = staff.read("person", **asked)

    assert listed(staff, **asked) == {"wanted"}
    assert '<input type="hidden" name="is" value="identified">' in html
    assert "attribute=plan&amp;value=pro" in html
    assert '<a href="?is=identified">All</a>' in html
