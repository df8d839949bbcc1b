"""What became of deliveries: told with the key by version 2, or by anybody."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from identity_tracking.models import Activity, FailedEvent, Person
from tests.web import FIREFOX, configure

pytestmark = pytest.mark.django_db

DELIVERY = "RPILAgUBcRhIBqSfeiIwdIYJKxTY"
OPENED = {"delivery_id": DELIVERY, "metric": "opened"}
V1 = "/people/api/v1/"


def tell(path, body, **headers):
    client = Client(headers=headers)
    answer = client.post(path, json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


@pytest.fixture
def _device(call):
    call("PUT", "customers/42/devices", {"device": {"id": "tok:en", "platform": "ios"}})


@pytest.mark.usefixtures("_device")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{V1}metrics", {"metric": "opened", "recipient": "tok:en"}),
        (f"{V1}metrics", {"metric": "opened", "customer_id": 42}),
        (f"{V1}metrics", {"metric": "opened", "identifiers": {"id": "42"}}),
        ("/people/push/events", {"event": "opened", "device_id": "tok:en"}),
        (f"{V1}push/events/", {"event": "opened", "device_id": "tok:en"}),
        (f"{V1}cio_deliveries/events", {"event": "opened", "device_token": "tok:en"}),
    ],
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_delivery_is_told_by_anybody(path, body, wrapped):
    said = {"delivery_id": DELIVERY, **body}
    said = {"type": "in_app", "payload": said} if wrapped else said

    assert tell(path, said) == (200, {})

    activity = Activity.objects.get(type="track")
    assert activity.person == Person.objects.find(id="42")
    assert (activity.name, activity.trusted) == ("delivery opened", False)
    assert activity.properties["delivery_id"] == DELIVERY


def test_a_recipient_is_whoever_has_the_email():
    body = {"delivery_id": DELIVERY, "metric": "clicked", "recipient": "A@example.com"}

    tell(f"{V1}metrics", {**body, "href": "https://x.example/"})

    activity = Activity.objects.get()
    assert activity.identifier.value == "a@example.com"
    assert activity.properties["href"] == "https://x.example/"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"{V1}metrics", OPENED),
        (f"{V1}push/events", {"delivery_id": DELIVERY, "event": "opened", "device_id": "none"}),
        (f"/people/unsubscribe/{DELIVERY}", {"unsubscribe": True}),
    ],
)
def test_of_a_delivery_of_nobody_known_the_word_is_kept_as_failed(path, body):
    assert tell(path, body) == (200, {})

    failed = FailedEvent.objects.get()
    assert (failed.code, failed.trusted, failed.source) == ("no_identifier", False, "shop")
    assert json.loads(failed.payload)["identifiers"] == {"id": DELIVERY}
    assert not Activity.objects.exists()


@pytest.mark.parametrize("verb", ["unsubscribed", "subscribed"])
def test_who_unsubscribes_may_be_named(verb):
    body = {"unsubscribe": verb == "unsubscribed", "customer_id": "42"}

    tell(f"/people/unsubscribe/{DELIVERY}", body)

    assert Activity.objects.get().name == f"delivery {verb}"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "invalid_body"),
        ({"metric": "opened"}, "name_missing"),
        ({"delivery_id": DELIVERY}, "name_missing"),
        ({**OPENED, "customer_id": 1, "timestamp": "x"}, "invalid_timestamp"),
    ],
)
def test_what_cannot_be_read_is_told_and_kept(body, code):
    status, answer = tell(f"{V1}metrics", body)

    assert (status, answer["meta"]["code"]) == (400, code)
    assert FailedEvent.objects.get().code == code


def test_nobody_dates_a_delivery_back_as_far_as_they_like():
    body = {**OPENED, "customer_id": "42", "timestamp": 1}

    tell(f"{V1}metrics", body)

    assert Activity.objects.get().timestamp > datetime.now(UTC) - timedelta(days=3)


def test_a_page_of_another_site_and_a_browser_that_objects_are_not_heard():
    body = {**OPENED, "customer_id": "42"}
    browser = {"user-agent": FIREFOX}

    assert tell(f"{V1}metrics", body, origin="https://evil.example", **browser)[0] == 403
    page = {"origin": "http://testserver", **browser}
    assert tell(f"{V1}metrics", body, **page, **{"sec-gpc": "1"}) == (200, {})
    assert not Activity.objects.exists()
    assert tell(f"{V1}metrics", body, **page) == (200, {})
    assert Activity.objects.exists()


def test_where_the_app_is_off_nothing_is_kept(settings):
    configure(settings, ENABLED=False)

    assert tell(f"{V1}metrics", OPENED) == (200, {})
    assert not FailedEvent.objects.exists()


@pytest.mark.usefixtures("_device")
def test_version_2_tells_it_with_the_key_and_is_believed(send):
    item = {
        "type": "delivery",
        "action": "event",
        "identifiers": {"id": DELIVERY},
        "name": "converted",
        "timestamp": 1_700_000_000,
    }

    status = send(
        {**item, "attributes": {"device_token": "tok:en"}},
        {**item, "attributes": {"device_token": "none"}},
        {**item, "name": ""},
    )

    assert [(one["batch_index"], one["reason"]) for one in status[1]] == [(2, "name_missing")]
    activity = Activity.objects.get(type="track")
    assert (activity.trusted, activity.timestamp.year) == (True, 2023)
    assert FailedEvent.objects.filter(code="no_identifier").count() == 1
