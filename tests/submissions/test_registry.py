"""The registry of forms, and how often each was filled in."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from identity_tracking.models import Form, FormDay, FormField
from identity_tracking.submissions.registry import DAYS, look_up, note
from identity_tracking.submissions.submission import read

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def submission(form_id="signup", *, at=NOON, trusted=False, source="shop", **data):
    return read(form_id, data, source=source, trusted=trusted, received_at=at)


def test_a_form_is_counted_by_the_day_in_the_sites_time_zone(settings):
    settings.TIME_ZONE = "Pacific/Auckland"  # where it is tomorrow already

    note(submission(email="x"), "default")
    note(submission(email="x"), "default")

    assert FormDay.objects.get().day == date(2026, 11, 23)
    assert FormDay.objects.get().submissions == 2


def test_days_long_past_are_forgotten():
    for ago in (DAYS + 1, DAYS, 0):
        note(submission(at=NOON - timedelta(days=ago)), "default")

    days = FormDay.objects.order_by("day").values_list("day", flat=True)
    assert list(days) == [NOON.date() - timedelta(days=DAYS), NOON.date()]


def test_when_a_form_was_seen_is_coarse():
    for seconds in (0, 200, 400, 100):
        note(submission(at=NOON + timedelta(seconds=seconds)), "default")

    form = Form.objects.get()
    assert (form.first_seen, form.last_seen) == (NOON, NOON + timedelta(seconds=400))


def test_forms_of_two_sources_are_two():
    for source in ("shop", "blog"):
        note(submission(source=source, name="x"), "default")

    assert Form.objects.count() == FormField.objects.count() == 2


def test_what_is_known_costs_three_queries_and_the_transaction(django_assert_num_queries):
    note(submission(email="x"), "default")

    with django_assert_num_queries(5):  # with the savepoint's two
        note(submission(email="x"), "default")


def test_names_that_hide_something_are_not_listed():
    note(submission(**{"a\u202eb": "x", "plan": "pro", "form_name": "\u202eevil"}), "default")

    assert list(FormField.objects.values_list("name", flat=True)) == ["plan"]
    assert Form.objects.get().name == ""


def test_what_staff_chose_is_known():
    note(submission(contact="x"), "default")
    FormField.objects.update(role="email")

    assert look_up(submission(), "default").meanings == {"contact": ("email", "contact")}
