from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from identity_tracking.admin import failed_events
from identity_tracking.admin.replaying import OUTCOMES, WHAT_TO_DO
from identity_tracking.api.replay import Replay
from identity_tracking.ingest.transaction import breaker
from identity_tracking.models import Activity, FailedEvent
from tests.factories import FailedEventFactory
from tests.web import configure

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def recorded(staff, settings):
    """Switch the app on, which the other screens are tested without."""
    configure(settings, ENABLED=True)


def test_failed_events_are_filtered_by_reason(staff):
    FailedEventFactory(code="too_large", payload="wanted")
    FailedEventFactory(code="invalid_json", payload="other")

    text = staff.text("failedevent", code="too_large")

    assert "wanted" in text
    assert "other" not in text


def test_the_page_of_a_failed_event_shows_the_message(staff):
    failed = FailedEventFactory(payload='{"event":"added"}')

    assert '{ "event": "added" }' in staff.text("failedevent", failed)


def test_half_a_character_is_shown_as_it_was_sent(staff):
    failed = FailedEventFactory(payload=r'{"name": "\ud800", "\udfff": 1}')

    assert r'{ "name": "\ud800", "\udfff": 1 }' in staff.text("failedevent", failed)


@pytest.mark.parametrize("payload", ["{cut off", "[" * 30_000])
def test_a_message_that_is_no_json_is_shown_as_it_is(staff, payload):
    failed = FailedEventFactory(payload=payload)

    assert payload[:50] in staff.text("failedevent", failed)


GOOD = '{"type": "track", "name": "ordered", "id": "42"}'


def again(failed):
    return reverse("admin:identity_tracking_failedevent_replay", args=[failed.pk])


def choose(staff, *events, **data):
    data = {"action": "try_chosen_again", "_selected_action": [one.pk for one in events], **data}
    page = reverse("admin:identity_tracking_failedevent_changelist")
    return staff.post(page, data, follow=True).content.decode()


def test_chosen_events_are_tried_again_and_it_is_told_what_became_of_them(staff, admin_user):
    good = [FailedEventFactory(payload=GOOD) for _ in range(2)]
    bad = FailedEventFactory(code="no_identifier", payload='{"type": "track", "name": "ordered"}')
    torn = FailedEventFactory(payload="{cut off")

    html = choose(staff, *good, bad, torn)

    assert "Tried again: stored: 2, refused again: 1, not kept whole" in html
    assert "(no_identifier 1)" in html
    assert set(FailedEvent.objects.all()) == {bad, torn}
    assert Activity.objects.filter(name="ordered").count() == 2
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, None)
    assert entry.change_message.startswith("Tried again: stored: 2,")


def test_of_many_the_first_are_tried(staff, monkeypatch):
    monkeypatch.setattr(failed_events, "AT_ONCE", 2)
    events = FailedEventFactory.create_batch(3, payload=GOOD)

    html = choose(staff, events[0], select_across="1")

    assert "Only the first 2 were tried" in html
    assert FailedEvent.objects.get() == events[2]


def test_one_is_tried_again_from_its_page(staff):
    failed = FailedEventFactory(payload=GOOD)

    assert f'action="{again(failed)}"' in staff.read("failedevent", failed)
    response = staff.post(again(failed), follow=True)

    assert response.redirect_chain[-1][0].endswith("/failedevent/")
    assert "Tried again: stored: 1" in response.content.decode()
    assert Activity.objects.get().name == "ordered"


def test_one_that_fails_again_is_shown_again(staff):
    failed = FailedEventFactory(payload="{cut off")

    response = staff.post(again(failed), follow=True)

    assert response.redirect_chain[-1][0].endswith(f"/failedevent/{failed.pk}/change/")


def test_to_look_is_not_to_try_again(staff):
    failed = FailedEventFactory(payload=GOOD)

    assert staff.get(again(failed)).status_code == 405
    assert FailedEvent.objects.exists()


def test_one_that_is_gone_is_not_tried_again(staff):
    failed = FailedEventFactory()
    address = again(failed)
    failed.delete()

    assert staff.post(address).status_code == 404


def test_to_try_again_needs_its_own_permission(staff_with):
    failed = FailedEventFactory(payload=GOOD)
    clerk = staff_with("view_failedevent", "change_failedevent", "delete_failedevent")

    choose(clerk, failed)

    assert clerk.post(again(failed)).status_code == 403
    assert again(failed) not in clerk.read("failedevent", failed)
    assert "try_chosen_again" not in clerk.read("failedevent")
    assert FailedEvent.objects.exists()


def test_its_own_permission_is_enough(staff_with):
    failed = FailedEventFactory(payload=GOOD)
    clerk = staff_with("replay_failedevent")

    assert clerk.post(again(failed)).url == reverse("admin:index")
    assert not FailedEvent.objects.exists()


def test_the_page_says_what_to_do(staff):
    assert "give track() one" in staff.text("failedevent", FailedEventFactory(code="name_missing"))
    assert "Mend the page" in staff.text("failedevent", FailedEventFactory(code="too_deep"))
    assert "mend the call" in staff.text(
        "failedevent", FailedEventFactory(trusted=True, entrance="")
    )


def test_every_outcome_has_its_words():
    assert set(OUTCOMES) == set(Replay)
    assert "unknown_cio_id" in WHAT_TO_DO


@pytest.mark.django_db(transaction=True)
def test_where_the_database_is_busy_it_is_told(staff):
    failed = FailedEventFactory(payload=GOOD)
    for _ in range(breaker.FAILURES):
        breaker.failed()
    try:
        html = choose(staff, failed)
    finally:
        breaker.reset()

    assert "nothing was done. Try again." in html
    assert FailedEvent.objects.exists()
    assert not LogEntry.objects.exists()


def test_what_an_object_had_no_room_for_says_so(staff):
    failed = FailedEventFactory(code="too_many_attributes", trusted=True)

    assert "The object has 300 attributes." in staff.text("failedevent", failed)
