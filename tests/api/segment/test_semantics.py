"""Track calls that are deeds where a trusted sender makes them, and events where not."""

from __future__ import annotations

import base64
import json

import pytest
from django.test import Client

from identity_tracking.models import Activity, FailedEvent, Person, TrackedObject
from tests.web import configure

pytestmark = pytest.mark.django_db

SECRET, PUBLIC = "test-key", "shop"
PHONE = {"context": {"device": {"token": "t1", "type": "ios", "model": "X"}}}
ACME = {"properties": {"objectId": "acme", "objectTypeId": 2}}


def send(*calls, key=SECRET):
    token = base64.b64encode(f"{key}:".encode()).decode()
    client = Client(headers={"authorization": f"Basic {token}"})
    answer = client.post("/people/v1/batch", json.dumps({"batch": calls}), "text/plain")
    return answer.status_code, answer.json()


def track(event, **said):
    return {"type": "track", "event": event, "userId": "42", **said}


def group(**said):
    traits = {"objectTypeId": 2, "plan": "pro"}
    return {"type": "group", "userId": "42", "groupId": "acme", "traits": traits, **said}


IDENTIFY = {"type": "identify", "userId": "42", "traits": {"plan": "pro"}}


def find(**who):
    return Person.objects.find(**who)


def held():
    return {f"{one.object}": one.attributes for one in find(id="42").relationships}


def test_a_deleted_user_is_gone_and_may_come_back():
    assert send(IDENTIFY, track("User Deleted")) == (200, {"success": True})
    assert find(id="42") is None

    send(IDENTIFY, track("User Deleted"), {**IDENTIFY, "traits": {"city": "Bern"}})
    assert find(id="42").attributes == {"city": "Bern"}


def test_a_suppressed_user_is_refused_until_that_is_taken_back(settings):
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    send(IDENTIFY, track("User Suppressed", anonymousId="x"), IDENTIFY)
    assert find(id="42") is None

    send({"type": "track", "event": "viewed", "anonymousId": "x"})
    send(track("User Unsuppressed"), IDENTIFY)
    assert find(id="42") is not None
    assert Activity.objects.filter(name="viewed").exists()


def test_a_relationship_is_deleted():
    send(group(), track("Relationship Deleted", **ACME))

    assert held() == {}
    assert TrackedObject.objects.get().attributes == {"plan": "pro"}


def test_an_object_is_deleted_for_everybody():
    gone = {"type": "track", "event": "Object Deleted", "anonymousId": "any", **ACME}
    send(group(), group(userId="43"), gone)

    assert held() == {}
    assert not TrackedObject.objects.standing().exists()


@pytest.mark.parametrize("place", ["context", "properties"])
def test_a_device_is_somebodys_until_it_is_deleted(place):
    phone = {place: PHONE["context"]}
    send(track("Device Created or Updated", **phone))
    assert held() == {"device: t1": {"platform": "ios", "model": "X"}}

    send(track("Device Deleted", **phone))
    assert held() == {}


def test_from_a_page_they_are_events_and_nothing_else():
    names = ["User Deleted", "User Suppressed", "User Unsuppressed", "Relationship Deleted",
             "Object Deleted", "Device Created or Updated", "Device Deleted"]  # fmt: skip
    send(IDENTIFY, group())

    send(*(track(name, **ACME, **PHONE) for name in names), key=PUBLIC)

    assert held() == {"2: acme": {}}
    assert find(id="42").attributes == {"plan": "pro"}
    assert {one.name for one in Activity.objects.filter(type="track")} == set(names)


def test_what_cannot_be_done_is_told_and_kept_and_spoils_no_others():
    _, answer = send(
        track("User Suppressed"),
        {"type": "track", "event": "User Deleted", "anonymousId": "x"},
        track("Relationship Deleted"),
        track("Device Deleted"),
        IDENTIFY,
    )

    assert [(one["index"], one["code"]) for one in answer["errors"]] == [
        (0, "suppression_key_missing"),
        (1, "no_identifier"),
        (2, "invalid_object"),
        (3, "invalid_device"),
    ]
    assert FailedEvent.objects.count() == 4
    assert find(id="42").attributes == {"plan": "pro"}
