"""Whatever is sent, the answer is no server's error, and what is refused is kept."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity_tracking.models import FailedEvent
from tests.hostile import json_of

pytestmark = pytest.mark.django_db

KEYS = [
    *("id", "email", "cio_id", "anonymous_id", "_timestamp", "_update", "cio_relationships"),
    *("name", "type", "timestamp", "data", "device", "token", "attributes", "created_at"),
    *("primary", "secondary", "ids", "batch", "action", "identifiers", "relationships"),
    *("form_name", "form_url", "password"),
    *("object_type_id", "object_id", "cio_object_id", "relationship_attributes"),
    *("delivery_id", "metric", "payload", "recipient", "device_token", "customer_id"),
]
WORDS = [
    *("person", "identify", "event", "merge", "delete", "suppress"),
    *("add_device", "add_relationships", "page", "ä/?#%"),
    *("object", "delivery", "identify_anonymous", "delete_relationships", "0" * 32),
]
JSON = json_of(KEYS, WORDS, leaves=15)
CALLS = st.sampled_from(
    [
        ("PUT", "customers/42"),
        ("PUT", "customers/cio_0300000001"),
        ("PUT", "customers/42/devices"),
        ("POST", "customers/42/events"),
        ("POST", "events"),
        ("POST", "merge_customers"),
        ("POST", "forms/signup/submit"),
        ("POST", "segments/7/add_customers"),
        ("POST", "metrics"),
        ("POST", "/people/push/events"),
        ("POST", "cio_deliveries/events"),
        ("POST", "/people/unsubscribe/x"),
        ("POST", "/people/api/v2/entity"),
        ("POST", "/people/api/v2/batch"),
    ]
)
ITEMS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["person", "object", "delivery"]),
        "action": st.sampled_from(WORDS),
    },
    optional={
        **dict.fromkeys(("attributes", "name", "device", "timestamp", "cio_relationships"), JSON),
        "identifiers": JSON | st.fixed_dictionaries({"object_type_id": JSON, "object_id": JSON}),
    },
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(target=CALLS, body=JSON)
def test_no_body_makes_a_server_error(call, target, body):
    before = FailedEvent.objects.count()

    answer = call(*target, body)

    assert answer.status_code in {200, 204, 207, 400, 413}
    if answer.status_code == 400:
        assert FailedEvent.objects.count() > before


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=st.lists(ITEMS, max_size=4))
def test_of_a_batch_each_item_is_taken_or_kept_as_failed(call, items):
    before = FailedEvent.objects.count()

    answer = call("POST", "/people/api/v2/batch", {"batch": items})

    errors = answer.json().get("errors", [])
    assert answer.status_code == (207 if errors else 200)
    nobodys = [item for item in items if item["type"] == "delivery"]
    kept = FailedEvent.objects.count() - before - len(errors)
    assert 0 <= kept <= len(nobodys)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.text(max_size=30), raw=st.booleans())
def test_no_path_makes_a_server_error(server, path, raw):
    sent = {"RAW_URI": f"/people/api/v1/customers/{path}"} if raw else {}

    answer = server.generic("PUT", "/people/api/v1/customers/x", b"{}", **sent)

    assert answer.status_code in {200, 400, 404, 405}
