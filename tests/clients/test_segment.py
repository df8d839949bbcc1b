"""Segment's and RudderStack's clients for Python, unmodified: a call counts by its rows."""

from __future__ import annotations

import inspect

import pytest
from rudderstack.analytics.client import Client as RudderStack
from segment.analytics.client import Client as Segment

from identity_tracking.models import Activity, Person

pytestmark = pytest.mark.django_db(transaction=True)

NO_CALLS = {"flush", "join", "shutdown"}
CLIENTS = {"segment": Segment, "rudderstack": RudderStack}


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def zipped(request):
    return request.param


@pytest.fixture(params=CLIENTS)
def client(request, live_server, zipped):
    made = CLIENTS[request.param]
    return made("test-key", host=f"{live_server.url}/people", gzip=zipped, sync_mode=True)


def find(**who):
    return Person.objects.find(**who)


def identify(client):
    client.identify("user-1", {"email": "a@example.com", "name": "A"}, anonymous_id="anon-1")
    client.identify(None, {"plan": "x"}, anonymous_id="anon-2")

    person = find(id="user-1")
    assert person == find(email="a@example.com") == find(anonymous_id="anon-1")
    assert person.attributes == {"name": "A"}
    assert find(anonymous_id="anon-2") is None


def track(client):
    for _ in range(2):
        client.track("user-1", "bought", {"revenue": 12.5}, message_id="m-1")

    (activity,) = find(id="user-1").activities
    assert (activity.name, activity.properties) == ("bought", {"revenue": 12.5})
    assert activity.trusted


def page(client):
    properties = {"url": "https://x.example/docs?token=1"}
    client.page(anonymous_id="anon-1", category="Docs", name="Home", properties=properties)

    activity = Activity.objects.get()
    assert (activity.type, activity.name) == ("page", "Home")
    assert activity.context["page"]["url"] == "https://x.example/docs"
    assert activity.properties["category"] == "Docs"


def screen(client):
    client.screen("user-1", None, "Checkout", {"step": 1})

    (activity,) = find(id="user-1").activities
    assert (activity.name, activity.context["screen"]) == ("Checkout", {"name": "Checkout"})


def group(client):
    client.group("user-1", "initech", {"name": "Initech"})

    (held,) = find(id="user-1").relationships
    assert (held.object.object_type, held.object.object_id) == ("1", "initech")


def alias(client):
    client.track(event="viewed", anonymous_id="anon-1")
    client.alias("anon-1", "user-1")

    assert [one.type for one in find(id="user-1").activities] == ["alias", "track"]


CALLS = {one.__name__: one for one in (identify, track, page, screen, group, alias)}


@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_the_client_does_what_it_says(client, name):
    CALLS[name](client)


@pytest.mark.parametrize("made", CLIENTS.values(), ids=list(CLIENTS))
def test_every_public_method_of_the_client_was_called(made):
    public = {name for name, _ in inspect.getmembers(made, inspect.isfunction)}

    assert {name for name in public if not name.startswith("_")} - NO_CALLS == set(CALLS)


def test_a_client_that_sends_from_a_thread_of_its_own_loses_nothing(live_server):
    client = Segment("test-key", host=f"{live_server.url}/people", upload_size=20)
    for number in range(50):
        client.track("user-1", f"event {number}")
    client.shutdown()

    assert find(id="user-1").activities.count() == 50
