from __future__ import annotations

import base64
import json

import pytest
from django.test import Client

from identity_tracking import erase, track
from identity_tracking.ingest.process import process
from identity_tracking.models import Activity, FailedEvent
from tests import saying
from tests.factories import START, FailedEventFactory
from tests.saying import person
from tests.web import Browser, configure
from tests.web import track as sent

BASIC = "Basic " + base64.b64encode(b"shop:test-key").decode()
JSON = "application/json"
THEN = 1_700_000_000  # in 2023
WHO = {"type": "person", "identifiers": {"id": "x1"}}

pytestmark = pytest.mark.django_db


def failed(code="invalid_identifier", **item):
    payload = json.dumps({"type": "track", "name": "bought", "anonymous_id": "X", **item})
    return FailedEventFactory(code=code, payload=payload, received_at=START)


def told(run, *options):
    return [int(line.split()[0]) for line in run("replay_failed", *options).splitlines()]


def test_what_is_acceptable_now_is_stored_as_it_was(run):
    failed(message_id="m-1", time=int(START.timestamp() * 1_000) - 5_000, data={"sku": "A1"})

    assert told(run) == [1, 0, 0, 0, 0]

    activity = Activity.objects.get()
    assert (activity.message_id, activity.trusted) == ("m-1", False)
    assert activity.received_at == START
    assert (START - activity.timestamp).seconds == 5
    assert not FailedEvent.objects.exists()


def test_an_identifier_that_is_no_junk_any_more_is_accepted(run, settings):
    configure(settings, JUNK=["visitor"])
    Browser().send(sent(anonymous_id="visitor"))
    assert told(run) == [0, 0, 1, 0, 0]

    configure(settings, JUNK=[])

    assert told(run) == [1, 0, 0, 0, 0]
    assert Activity.objects.get().identifier.value == "visitor"


def test_without_a_message_id_it_is_stored_once_all_the_same(run):
    failed()

    assert [told(run), told(run)] == [[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]]
    assert Activity.objects.get().message_id.startswith("failed-")


def test_what_is_still_wrong_stays(run):
    failed(name="")

    assert told(run) == [0, 0, 1, 0, 0]
    assert FailedEvent.objects.exists()


def test_only_what_failed_for_one_reason(run):
    failed(code="too_deep")
    failed(code="not_json")

    assert told(run, "--code=too_deep") == [1, 0, 0, 0, 0]
    assert FailedEvent.objects.get().code == "not_json"


def test_what_is_not_kept_whole_stays(run):
    process([saying.page(id="u"), saying.track(cio_id="nobody")])
    track(person(id="u"), "")
    FailedEventFactory(payload='{"type": "track", "na')
    FailedEventFactory(payload='["track"]')

    assert told(run) == [0, 0, 0, 4, 0]
    assert FailedEvent.objects.count() == 4


def test_whoever_was_erased_is_not_brought_back(run, settings):
    failed()
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    process([saying.identify(id="u", anonymous_id="X")])
    held = list(FailedEvent.objects.all())
    erase(person(id="u"))
    FailedEvent.objects.bulk_create(held)

    assert told(run) == [0, 1, 0, 0, 0]
    assert not Activity.objects.exists()
    assert not FailedEvent.objects.exists()


def test_of_a_source_that_is_no_more_it_is_refused(run):
    FailedEventFactory(source="another", payload='{"type": "track", "name": "a", "id": "u"}')

    assert told(run) == [0, 0, 1, 0, 0]


def test_where_the_app_is_off_all_stays(run, settings):
    failed()
    configure(settings, ENABLED=False)

    assert told(run) == [0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("path", "body", "key"),
    [
        ("api/v1/customers/x1/events", {"name": "bought", "timestamp": THEN}, BASIC),
        ("api/v2/entity", {**WHO, "action": "event", "name": "bought", "timestamp": THEN}, BASIC),
        ("v1/track", {"userId": "x1", "event": "bought", "timestamp": THEN}, "Bearer test-key"),
    ],
    ids=["version 1", "version 2", "Segment"],
)
def test_what_came_by_a_server_api_goes_that_way_again(run, settings, path, body, key):
    configure(settings, JUNK=["x1"])
    answer = Client(headers={"authorization": key}).post(f"/people/{path}", body, JSON)
    assert "no_identifier" in answer.content.decode()
    configure(settings, JUNK=[])

    assert told(run) == [1, 0, 0, 0, 0]
    (activity,) = person(id="x1").activities
    assert (activity.name, activity.trusted, activity.timestamp.year) == ("bought", True, 2023)


def test_an_identify_by_the_track_api_sets_its_attributes_when_it_is_tried_again(run, settings):
    configure(settings, JUNK=["x1"])
    client = Client(headers={"authorization": BASIC})
    client.put("/people/api/v1/customers/x1", {"email": "a@example.com", "plan": "pro"}, JSON)
    configure(settings, JUNK=[])

    assert told(run) == [1, 0, 0, 0, 0]
    assert person(email="a@example.com").attributes == {"plan": "pro"}
