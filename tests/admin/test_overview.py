from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from identity_tracking.admin import figures as module
from identity_tracking.admin.charts import chart, ranked, scale
from identity_tracking.admin.figures import DAYS, figures
from identity_tracking.identifiers import Kind
from identity_tracking.messages import Type
from tests.admin.conftest import Staff
from tests.factories import (
    ActivityFactory,
    IdentifierFactory,
    LeadFactory,
    OwnershipFactory,
    PersonFactory,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(NOW, tick=False):
        yield


def overview(staff):
    response = staff.get(reverse("admin:identity_tracking_overview"))
    assert response.status_code == 200
    return response.content.decode()


def said(staff):
    return " ".join(re.sub("<[^>]*>", " ", overview(staff).split('id="content-start"')[1]).split())


def viewed(path, identifier, ago=0):
    context = {"page": {"path": path}}
    time = NOW - ago * DAY
    return ActivityFactory(type=Type.PAGE, identifier=identifier, timestamp=time, context=context)


def test_a_person_is_one_visitor_on_all_that_is_theirs():
    person = PersonFactory()
    lead = LeadFactory(root=person)
    OwnershipFactory(person=lead, identifier=lead.anchor)
    browser = OwnershipFactory(person=person).identifier
    for identifier in (person.anchor, lead.anchor, browser, IdentifierFactory()):
        ActivityFactory(identifier=identifier, timestamp=NOW)

    found = figures()

    assert (found.visitors, found.identified, found.activities) == (2, 1, 4)
    assert (found.visitors_by_day[-1], found.identified_by_day[-1]) == (2, 1)


def test_on_a_shared_browser_the_gap_is_nobodys():
    ada, ben = PersonFactory(), PersonFactory()
    shared = IdentifierFactory()
    OwnershipFactory(identifier=shared, person=ada, until=NOW - 2 * DAY)
    OwnershipFactory(identifier=shared, person=ada, after=ben, since=NOW - 2 * DAY, until=NOW - DAY)
    OwnershipFactory(identifier=shared, person=ben, since=NOW - DAY)
    for ago in (3, 1.5, 0):
        ActivityFactory(identifier=shared, timestamp=NOW - ago * DAY)

    found = figures()

    assert (found.visitors, found.identified) == (3, 2)


def test_each_day_is_counted_on_its_own_and_older_ones_are_not():
    visitor = IdentifierFactory()
    for ago in (0, 0, 1, DAYS + 1):
        ActivityFactory(identifier=visitor, timestamp=NOW - ago * DAY)

    found = figures()

    assert found.visitors_by_day[-2:] == [1, 1]
    assert (sum(found.visitors_by_day), found.activities) == (2, 3)
    assert (found.days[-1], len(found.days)) == (NOW.date(), DAYS)
    assert found.since is None


def test_new_people_and_visitors_are_counted_by_day(monkeypatch):
    monkeypatch.setattr(module, "NEW", 2)
    IdentifierFactory.create_batch(3, created_at=NOW)
    IdentifierFactory(kind=Kind.ID, created_at=NOW - DAY)
    IdentifierFactory(kind=Kind.EMAIL, created_at=NOW)

    found = figures()

    assert found.new_visitors_by_day[-2:] == [0, 2]
    assert found.new_people_by_day[-2:] == [1, 0]


def test_of_many_activities_the_newest_are_counted(monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 2)
    for ago in range(4):
        ActivityFactory(timestamp=NOW - ago * DAY)

    found = figures()

    assert (found.activities, found.since) == (2, NOW - DAY)


def test_of_many_visitors_the_newest_are_counted(monkeypatch):
    monkeypatch.setattr(module, "VISITORS", 2)
    for ago in range(4):
        ActivityFactory(timestamp=NOW - ago * DAY)

    found = figures()

    assert (found.visitors, found.since) == (2, NOW - DAY)


def test_pages_and_events_are_ranked():
    visitor = IdentifierFactory()
    for path in ("/", "/cart/", "/cart/", None, ""):
        viewed(path, visitor)
    for name in ("ordered", "added", "ordered"):
        ActivityFactory(name=name, identifier=visitor, timestamp=NOW)
    ActivityFactory(type=Type.PAGE, context={"page": "odd"}, timestamp=NOW)

    found = figures()

    assert found.pages == [("/cart/", 2), ("/", 1)]
    assert found.events == [("ordered", 2), ("added", 1)]


def test_the_front_page_tells_and_shows_them(staff):
    person = PersonFactory()
    viewed("/coffee/", person.anchor)
    viewed("/coffee/", IdentifierFactory(created_at=NOW))

    text = said(staff)

    assert "Visitors 2 Identified 1 Share identified 50 % Activities 2" in text
    assert "Counted in all activities of these days." in text
    assert "/coffee/ 2" in text
    assert "day visitors of these identified 11/22/2026 2 1 11/21/2026 0 0" in text
    assert overview(staff).count("<figure") == 3


def test_a_part_is_called_a_part(staff, monkeypatch):
    monkeypatch.setattr(module, "WINDOW", 1)
    ActivityFactory(timestamp=NOW)
    ActivityFactory(timestamp=NOW - DAY)

    assert "Counted in the newest 1 activities, since Nov. 22, 2026" in said(staff)


def test_a_site_without_visitors_has_a_front_page(staff):
    assert "Share identified – Activities 0" in said(staff)
    assert said(staff).count("Nothing here.") == 2


def test_it_takes_few_queries_and_few_more_for_many(staff):
    counts = []
    for many in (2, 50):
        for _ in range(many):
            person = PersonFactory()
            viewed("/", OwnershipFactory(person=person).identifier)
        cache.clear()
        with CaptureQueriesContext(connection) as captured:
            overview(staff)
        counts.append(len(captured))

    assert counts[0] == counts[1] <= 8


def test_even_the_most_visitors_take_few_queries():
    assert 2 * module.VISITORS / module.AT_ONCE + 5 <= 15


def test_keys_are_asked_for_in_parts(monkeypatch):
    monkeypatch.setattr(module, "AT_ONCE", 2)
    for _ in range(5):
        ActivityFactory(identifier=PersonFactory().anchor, timestamp=NOW)

    assert figures().identified == 5


def test_it_is_counted_once_a_minute(staff):
    overview(staff)
    ActivityFactory(timestamp=NOW)

    assert "Activities 0" in said(staff)
    cache.clear()
    assert "Activities 1" in said(staff)


@pytest.mark.parametrize(
    ("right", "shown"),
    [
        ("view_person", {"people": True, "activities": False, "visitors": False}),
        ("view_activity", {"people": False, "activities": True, "visitors": False}),
    ],
)
def test_each_part_has_its_permission(staff_with, right, shown):
    viewed("/secret/", PersonFactory().anchor)
    html = overview(staff_with(right))

    assert {
        "people": "New people a day" in html,
        "activities": "/secret/" in html and "Visitors a day" in html,
        "visitors": "New visitors a day" in html,
    } == shown


def test_it_is_closed_to_those_who_may_see_neither(staff_with):
    address = reverse("admin:identity_tracking_overview")

    assert staff_with("view_identifier", "view_conflict").get(address).status_code == 403
    assert Staff().get(address).status_code == 302


def test_it_is_linked_where_people_are_found(staff):
    address = reverse("admin:identity_tracking_overview")
    apps = staff.get(reverse("admin:app_list", args=["identity_tracking"])).content.decode()

    assert f'href="{address}"' in apps
    assert f'href="{address}"' in staff.read("person")


def test_who_may_not_open_it_is_not_led_there(staff_with):
    apps = reverse("admin:app_list", args=["identity_tracking"])

    html = staff_with("view_conflict").get(apps).content.decode()

    assert reverse("admin:identity_tracking_overview") not in html


def test_hostile_names_stay_text(staff):
    viewed("/<script>alert(1)</script>\u202e", IdentifierFactory())
    ActivityFactory(name="<svg/onload=alert(1)>", timestamp=NOW)

    html = overview(staff)

    assert "<script>alert" not in html
    assert "<svg/onload" not in html
    assert "\\u202e" in html


@pytest.mark.parametrize(
    ("most", "top"), [(0, 2), (1, 2), (2, 2), (3, 4), (9, 10), (10, 10), (11, 20), (430, 600)]
)
def test_a_scale_ends_at_a_round_number(most, top):
    assert scale(most) == top


def test_bars_are_as_high_as_their_counts():
    days = [NOW.date() - DAY, NOW.date()]

    drawn = chart("x", "x", days, [("all", [4, 0]), ("some", [1, 0])], ceiling=4)

    assert [one.path for one in drawn.series] == ["M0 100v-100h7V100z", "M0 100v-25h7V100z"]
    assert [one.shade for one in drawn.series] == [1, 2]
    assert (drawn.top, drawn.half, drawn.is_cut) == (4, 2, True)
    assert drawn.rows == [(days[1], (0, 0)), (days[0], (4, 1))]


def test_ranks_are_shares_of_the_first():
    assert [one.share for one in ranked([("a", 200), ("b", 50), ("c", 1)])] == [100, 25, 1]
