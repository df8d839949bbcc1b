"""Track calls that are deeds where a trusted sender makes them, and events where not."""

from __future__ import annotations

import base64
import json

import pytest
from django.test import Client

from identity_tracking.models import Activity, FailedEvent, Person, TrackedObject
from identity_tracking.sources import make_key
from tests.factories import SourceFactory
from tests.saying import hour
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


def test_a_deletion_that_is_repeated_takes_nothing_of_who_is_back():
    gone = track("User Deleted", messageId="m-1", timestamp=hour(1).isoformat())
    send(IDENTIFY, gone)
    send({**IDENTIFY, "traits": {"city": "Bern"}})

    assert send(gone) == (200, {"success": True})
    assert find(id="42").attributes == {"city": "Bern"}

    send(track("User Deleted", messageId="m-2", timestamp=hour(1).isoformat()))
    assert find(id="42") is None


def test_a_deletion_that_does_not_say_when_it_was_is_of_when_it_came_first():
    gone, back = track("User Deleted", messageId="m-1"), {**IDENTIFY, "traits": {"city": "Bern"}}
    send(IDENTIFY, gone, back)

    send(gone)

    assert find(id="42").attributes == {"city": "Bern"}


def test_an_objects_deletion_that_is_repeated_ends_nothing_made_since():
    gone = track("Object Deleted", messageId="m-1", **ACME)
    send(group(), gone)
    send(group())

    assert send(gone) == (200, {"success": True})
    assert held() == {"2: acme": {}}


def test_who_was_deleted_is_not_brought_back_by_a_repeat_of_all_there_was():
    said = {**IDENTIFY, "messageId": "m-1", "timestamp": hour(1).isoformat()}
    gone = track("User Deleted", messageId="m-2", timestamp=hour(2).isoformat())

    for _ in range(2):
        send(said, gone)

    assert find(id="42") is None


def test_a_suppression_that_is_repeated_erases_nobody_who_is_accepted_again(settings):
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    suppressing = track("User Suppressed", messageId="m-1")
    send(suppressing, track("User Unsuppressed", messageId="m-2"), IDENTIFY)

    send(suppressing)

    assert find(id="42").attributes == {"plan": "pro"}


def test_what_could_not_be_done_is_tried_when_it_is_repeated(settings):
    key = make_key(SourceFactory(site_id="blog"))
    suppressing = track("User Suppressed", messageId="m-1")
    configure(settings, API_KEY="")
    send(IDENTIFY, key=key)

    _, answer = send(suppressing, key=key)
    assert answer["errors"][0]["code"] == "suppression_key_missing"

    configure(settings, SUPPRESSION_KEY="a key of the tests")
    assert send(suppressing, key=key) == (200, {"success": True})
    assert find(id="42") is None


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
        track("User Suppressed", userId=""),
        {"type": "track", "event": "User Deleted", "anonymousId": "x"},
        track("Relationship Deleted"),
        track("Device Deleted"),
        IDENTIFY,
    )

    assert [(one["index"], one["code"]) for one in answer["errors"]] == [
        (0, "no_identifier"),
        (1, "no_identifier"),
        (2, "invalid_object"),
        (3, "invalid_device"),
    ]
    assert FailedEvent.objects.count() == 4
    assert find(id="42").attributes == {"plan": "pro"}
