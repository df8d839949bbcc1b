"""Clients of Segment, RudderStack and Customer.io's Pipelines for servers, unmodified."""

from __future__ import annotations

import pytest
from rudderstack.analytics.client import Client as RudderStack
from segment.analytics.client import Client as Segment

from identity_tracking.models import Activity
from tests.clients.finding import find, related
from tests.clients.products import Failure, Imported

pytestmark = pytest.mark.django_db(transaction=True)

IMPORTED = {"segment-analytics-python": Segment, "rudder-sdk-python": RudderStack}
PROCESSES = (
    "customerio-cdp-analytics",
    "@segment/analytics-node",
    "@customerio/cdp-analytics-node",
    "@rudderstack/rudder-sdk-node",
)
ZIPPED = {f"{name}-gzip": name for name in IMPORTED}
CLIENTS = [
    *IMPORTED,
    *ZIPPED,
    *(pytest.param(name, marks=pytest.mark.clients) for name in PROCESSES),
]
NO_CALLS = {
    # ends or hurries what is on its way
    "close_and_flush",
    "flush",
    "join",
    "shutdown",
    # plugins and listeners
    "deregister",
    "emit",
    "off",
    "on",
    "once",
    "register",
    "warn_if_possible_memory_leak",
    # RudderStack's own queue
    "add_persistent_queue_processor",
    "axios_instance",
    "create_persistence_queue",
    "enqueue",
    "error_handler",
    "setup_flush_timer",
}


@pytest.fixture
def product(live_server, process):
    """Return a client by its name."""

    def product(name, key="test-key"):
        plain = ZIPPED.get(name, name)
        if plain not in IMPORTED:
            return process(name, key)
        options = {"host": f"{live_server.url}/people", "gzip": name in ZIPPED, "sync_mode": True}
        return Imported(plain, IMPORTED[plain](key, **options))

    return product


def identify(client):
    traits = {"email": "a@example.com", "name": "A"}
    client.identify(user_id="user-1", traits=traits, anonymous_id="anon-1")
    client.identify(anonymous_id="anon-2", traits={"plan": "x"})

    person = find(id="user-1")
    assert person == find(email="a@example.com") == find(anonymous_id="anon-1")
    assert person.attributes == {"name": "A"}
    assert find(anonymous_id="anon-2") is None


def track(client):
    said = {"event": "bought", "properties": {"revenue": 12.5}, "message_id": "m-1"}
    for _ in range(2):
        client.track(user_id="user-1", **said)

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
    client.screen(user_id="user-1", name="Checkout", properties={"step": 1})

    (activity,) = find(id="user-1").activities
    assert (activity.name, activity.context["screen"]) == ("Checkout", {"name": "Checkout"})


def group(client):
    client.group(user_id="user-1", group_id="initech", traits={"name": "Initech"})

    assert related(id="user-1") == {"1: initech"}


def alias(client):
    client.track(event="viewed", anonymous_id="anon-1")
    client.alias(previous_id="anon-1", user_id="user-1")

    assert [one.type for one in find(id="user-1").activities] == ["alias", "track"]


CALLS = {one.__name__: one for one in (identify, track, page, screen, group, alias)}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("made", CLIENTS)
def test_a_call_of_the_client_does_what_it_says(using, product, made, name):
    CALLS[name](using(product(made)))


@pytest.mark.parametrize("made", CLIENTS)
def test_the_deeds_among_the_events_of_pipelines_are_done(using, product, made):
    client = using(product(made))

    def do(event, **said):
        client.track(user_id="user-2", event=event, **said)

    client.group(user_id="user-2", group_id="acme")
    do("Device Created or Updated", context={"device": {"token": "t1", "type": "ios"}})
    assert related(id="user-2") == {"1: acme", "device: t1"}
    do("Relationship Deleted", properties={"objectId": "acme", "objectTypeId": "1"})
    assert related(id="user-2") == {"device: t1"}
    do("User Deleted")
    assert find(id="user-2") is None


@pytest.mark.parametrize("made", CLIENTS)
def test_every_public_method_of_the_client_was_called(product, made):
    public = {name for name in product(made).methods() if name[0] != "_"}

    assert public - NO_CALLS == set(CALLS)


@pytest.mark.clients
@pytest.mark.parametrize("made", PROCESSES)
def test_a_client_with_a_wrong_key_is_told(product, made):
    with pytest.raises(Failure):
        product(made, "wrong").call("track", user_id="user-1", event="bought")


def test_a_client_that_sends_from_a_thread_of_its_own_loses_nothing(live_server):
    client = Segment("test-key", host=f"{live_server.url}/people", upload_size=20)
    for number in range(50):
        client.track("user-1", f"event {number}")
    client.shutdown()

    assert find(id="user-1").activities.count() == 50
