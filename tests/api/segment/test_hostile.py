"""Whatever is sent, the answer is no server's error, and each call is taken or kept as failed."""

from __future__ import annotations

import base64
import itertools
import json

import pytest
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity_tracking.api.segment.decoder import TYPES
from identity_tracking.api.segment.semantics import MEANINGS
from identity_tracking.models import Activity, FailedEvent
from tests.hostile import json_of

pytestmark = pytest.mark.django_db

numbers = itertools.count()

KEYS = [
    *("userId", "anonymousId", "previousId", "groupId", "event", "name", "properties", "traits"),
    *("context", "page", "campaign", "url", "ip", "userAgent", "library", "timestamp", "sentAt"),
    *("messageId", "email", "objectTypeId", "cio_relationships", "objectId", "device", "token"),
]
WORDS = ["https://x.example/?a=%", "http://[", "203.0.113.7", "2026-01-01T00:00:00Z", "1e999"]
JSON = json_of(KEYS, WORDS, leaves=12)
CALLS = st.fixed_dictionaries(
    {"type": st.sampled_from([*TYPES, "fly"])},
    optional={key: JSON for key in KEYS if key != "messageId"},
)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(CALLS | JSON, max_size=4), key=st.sampled_from(["test-key", "shop"]))
def test_each_call_of_a_batch_is_stored_or_kept_as_failed(calls, key):
    before = Activity.objects.count() + FailedEvent.objects.count()
    given_key = base64.b64encode(f"{key}:".encode()).decode()
    calls = [{**one, "messageId": f"m-{next(numbers)}"} if is_call(one) else one for one in calls]
    body = json.dumps({"batch": calls})

    answer = Client(headers={"authorization": f"Basic {given_key}"}).post(
        "/people/v1/batch", body, content_type="text/plain"
    )

    assert answer.status_code == 200, answer.content
    silent = [one for one in calls if is_silent(one)]
    after = Activity.objects.count() + FailedEvent.objects.count()
    assert after == before + len(calls) - len(silent)


DEEDS = st.fixed_dictionaries(
    {"type": st.just("track"), "event": st.sampled_from([*MEANINGS])},
    optional={key: JSON for key in KEYS if key not in {"messageId", "event"}},
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calls=st.lists(DEEDS, max_size=3))
def test_no_deed_makes_a_server_error(calls):
    client = Client(headers={"authorization": "Bearer test-key"})

    answer = client.post("/people/v1/batch", json.dumps({"batch": calls}), "text/plain")

    assert answer.status_code == 200, answer.content


def is_silent(call):
    """Whether a call says nothing: an alias of somebody to themselves."""
    if not isinstance(call, dict) or call.get("type") != "alias":
        return False
    return str(call.get("previousId") or "") == str(call.get("userId") or "")


def is_call(one):
    return isinstance(one, dict) and "type" in one
