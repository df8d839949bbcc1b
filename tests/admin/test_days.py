from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from django.utils import timezone

from identity_tracking.admin import activities, days
from identity_tracking.admin.days import Period
from tests.factories import START, ActivityFactory

pytestmark = pytest.mark.django_db


def offered(staff, **query):
    """Return what the filter offers: what it is called, by what it asks for."""
    box = staff.read("activity", **query).split('class="it-days">')[1].split("</div>")[0]
    found = re.findall(r'href="\?(.*?)".*?>(.*?)</a>', box)
    return {unescape(asked).partition("on=")[2]: label for asked, label in found}


def at(year, month, day, hour=20):
    time = datetime(year, month, day, hour, tzinfo=UTC)
    return ActivityFactory(name=f"on-{year}-{month}-{day}", timestamp=time)


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ("2026", {"on-2026-11-1", "on-2026-11-2", "on-2026-12-1"}),
        ("2026-11", {"on-2026-11-1", "on-2026-11-2"}),
        ("2026-11-01", {"on-2026-11-1"}),
        ("2025-11-01", set()),
    ],
)
def test_activities_are_filtered_by_year_month_and_day(staff, asked, names):
    for moment in ((2026, 11, 1), (2026, 11, 2), (2026, 12, 1), (2027, 1, 1)):
        at(*moment)

    assert set(re.findall(r"on-[\d-]+", staff.text("activity", on=asked))) == names


@pytest.mark.parametrize(
    "asked", ["", "x", "2026-13", "2026-02-30", "0001", "2026-11-", "26", "9999", "٢٠٢٦", "2026-1"]
)
def test_what_is_no_day_filters_nothing(staff, asked):
    ActivityFactory(name="an-event")

    assert "an-event" in staff.text("activity", on=asked)


def test_a_day_is_one_of_the_sites_time_zone(staff):
    at(2026, 11, 1, hour=20)

    with timezone.override("Asia/Kolkata"):
        assert "on-2026" in staff.text("activity", on="2026-11-02")
        assert "on-2026" not in staff.text("activity", on="2026-11-01")


def test_months_are_offered_as_far_as_anything_was_done(staff):
    at(2026, 9, 30)
    at(2026, 11, 2)

    assert offered(staff) == {
        "": "All",
        "2026-11": "November 2026",
        "2026-10": "October 2026",
        "2026-09": "September 2026",
    }


def test_of_many_months_the_years_are_offered(staff, monkeypatch):
    monkeypatch.setattr(days, "MONTHS", 2)
    at(2025, 12, 31)
    at(2026, 11, 2)

    assert list(offered(staff)) == ["", "2026", "2025"]
    assert list(offered(staff, on="2025")) == ["", "2025", "2025-12"]


def test_of_a_month_its_days_are_offered_and_of_a_day_those_beside_it(staff):
    at(2026, 11, 1)
    at(2026, 11, 3)
    days_of_it = {"2026-11-03": "3", "2026-11-02": "2", "2026-11-01": "1"}
    found = {"": "All", "2026": "2026", "2026-11": "November 2026", **days_of_it}

    assert offered(staff, on="2026-11") == found
    assert offered(staff, on="2026-11-02") == found
    assert 'aria-current="true" aria-label="November 2"' in staff.read("activity", on="2026-11-02")


def test_where_nothing_was_done_no_day_is_offered(staff):
    assert "it-days" not in staff.read("activity")


@pytest.mark.parametrize(
    ("written", "first", "end"),
    [
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2028", date(2028, 1, 1), date(2029, 1, 1)),
        ("2026-02", date(2026, 2, 1), date(2026, 3, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
        ("2026-12-31", date(2026, 12, 31), date(2027, 1, 1)),
    ],
)
def test_a_period_ends_where_the_next_begins(written, first, end):
    period = Period.read(written)

    assert period == Period(written=written, first=first, end=end)


def test_a_type_is_looked_for_among_the_newest_of_the_day(staff, monkeypatch):
    monkeypatch.setattr(activities, "WINDOW", 1)
    for n in range(4):
        ActivityFactory(name=f"event-{n}.", timestamp=START + timedelta(days=n))

    for query in ({"type": "track"}, {"q": "event-1."}):
        assert "event-1." in staff.text(
            "activity", on=f"{START + timedelta(days=1):%Y-%m-%d}", **query
        )


def test_other_filters_are_kept(staff):
    ActivityFactory()

    assert "on=2026-11&amp;type=track" in staff.read("activity", type="track")
