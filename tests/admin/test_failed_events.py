from __future__ import annotations

import pytest

from tests.factories import FailedEventFactory

pytestmark = pytest.mark.django_db


def test_failed_events_are_filtered_by_reason(staff):
    FailedEventFactory(code="too_large", payload="wanted")
    FailedEventFactory(code="invalid_json", payload="other")

    text = staff.text("failedevent", code="too_large")

    assert "wanted" in text
    assert "other" not in text


def test_the_page_of_a_failed_event_shows_the_message(staff):
    failed = FailedEventFactory(payload='{"event":"added"}')

    assert '{ "event": "added" }' in staff.text("failedevent", failed)


@pytest.mark.parametrize("payload", ["{cut off", "[" * 30_000])
def test_a_message_that_is_no_json_is_shown_as_it_is(staff, payload):
    failed = FailedEventFactory(payload=payload)

    assert payload[:50] in staff.text("failedevent", failed)
