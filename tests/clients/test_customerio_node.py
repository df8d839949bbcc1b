"""Customer.io's client for Node, unmodified, against a server: a call counts by its rows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from identity_tracking.models import Activity
from tests.clients.finding import find, related
from tests.clients.products import Failure
from tests.web import configure

pytestmark = [pytest.mark.clients, pytest.mark.django_db(transaction=True)]

LONG_AGO = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
ODD = "user 1/ä"
ULID = "01BX5ZZKBKACTAV9WEVGEMMVRY"


@pytest.fixture
def client(using, process):
    return using(process("customerio-node"))


def identify(client):
    client.identify(
        ODD, {"email": "a@example.com", "plan": "pro", "tags": ["a"], "nested": {"x": None}}
    )

    assert find(id=ODD) == find(email="a@example.com")
    assert find(id=ODD).attributes == {"plan": "pro", "tags": ["a"], "nested": {"x": None}}


def track(client):
    bought = {"name": "bought", "data": {"price": 23.45}, "timestamp": 1_700_000_000, "id": ULID}
    for _ in range(2):
        client.track(ODD, bought)

    (activity,) = find(id=ODD).activities
    assert (activity.name, activity.properties) == ("bought", {"price": 23.45})
    assert activity.timestamp == LONG_AGO


def track_anonymous(client):
    client.track_anonymous("anon-1", {"name": "viewed", "data": {"page": "/x"}})

    assert Activity.objects.get().identifier.value == "anon-1"


def track_page_view(client):
    client.track_page_view("u2", "https://example.com/p")

    (activity,) = find(id="u2").activities
    assert (activity.type, activity.context["page"]["url"]) == ("page", "https://example.com/p")


def track_push(client):
    add_device(client)
    client.track_push({"event": "opened", "delivery_id": "d1", "device_id": "tok:en/1"})

    activity = find(id="u2").activities.get(name="delivery opened")
    assert activity.properties["delivery_id"] == "d1"


def add_device(client):
    client.add_device("u2", "tok:en/1", "ios", {"last_used": 1_700_000_000, "app_version": "1"})

    assert related(id="u2") == {"device: tok:en/1"}


def delete_device(client):
    add_device(client)
    client.delete_device("u2", "tok:en/1")

    assert related(id="u2") == set()


def merge_customers(client):
    client.identify("u1", {"plan": "pro"})
    client.identify("b@example.com", {"city": "London"})
    client.merge_customers("id", "u1", "email", "b@example.com")

    assert find(email="b@example.com") == find(id="u1")
    assert find(id="u1").attributes == {"plan": "pro", "city": "London"}


def destroy(client):
    client.identify("u2", {"plan": "pro"})
    client.destroy("u2")

    assert find(id="u2") is None


def suppress(client):
    client.identify("u2")
    client.suppress("u2")
    client.identify("u2")

    assert find(id="u2") is None


def unsuppress(client):
    suppress(client)
    client.unsuppress("u2")
    client.identify("u2", {"plan": "pro"})

    assert find(id="u2").attributes == {"plan": "pro"}


CALLS = {one.__name__: one for one in (
    identify, track, track_anonymous, track_page_view, track_push, add_device, delete_device,
    merge_customers, destroy, suppress, unsuppress,
)}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_the_client_does_what_it_says(client, settings, name):
    configure(settings, SUPPRESSION_KEY="a key of the tests")

    CALLS[name](client)


def test_every_public_method_of_the_client_was_called(process):
    assert process("customerio-node").methods() == set(CALLS)


def test_a_client_with_a_wrong_key_is_told(process):
    with pytest.raises(Failure, match="No source has this site_id and key"):
        process("customerio-node", "wrong").call("identify", "42")
