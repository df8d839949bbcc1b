"""Customer.io's own client for Python, unmodified, against a server: a call counts by its rows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from customerio import CustomerIO, CustomerIOException
from requests.adapters import HTTPAdapter

from identity_tracking.models import Activity, TrackedObject
from tests.clients.finding import find, related
from tests.clients.products import Imported
from tests.web import configure

pytestmark = pytest.mark.django_db(transaction=True)

NO_CALLS = {
    "close",
    "get_customer_query_string",
    "get_device_query_string",
    "get_event_query_string",
    "get_events_query_string",
    "is_valid_id_type",
    "send_request",
    "setup_base_url",
}
LONG_AGO = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
ODD = "user 1/ä"
ULID = "01BX5ZZKBKACTAV9WEVGEMMVRY"
SHOP = "https://shop.example"


class Here(HTTPAdapter):
    """Carries what is addressed to a site with TLS to the server of the tests, which has none."""

    def __init__(self, site):
        super().__init__()
        self.site = site

    def send(self, request, *args, **options):
        request.url = request.url.replace(SHOP, self.site)
        return super().send(request, *args, **options)


@pytest.fixture
def product(live_server):
    with_key = CustomerIO("shop", "test-key", host="shop.example/people", retries=0)
    with_key.http.mount(SHOP, Here(live_server.url))
    return Imported("customerio", with_key)


@pytest.fixture
def client(using, product):
    return using(product)


def identify(client):
    client.identify(id=ODD, email="a@example.com", plan="pro", tags=["a"], nested={"x": None})

    assert find(id=ODD) == find(email="a@example.com")
    assert find(id=ODD).attributes == {"plan": "pro", "tags": ["a"], "nested": {"x": None}}


def track(client):
    for _ in range(2):
        client.track(ODD, "bought", {"price": 23.45}, id=ULID, timestamp=LONG_AGO)

    (activity,) = find(id=ODD).activities
    assert (activity.name, activity.properties) == ("bought", {"price": 23.45})
    assert activity.timestamp == LONG_AGO


def track_anonymous(client):
    client.track_anonymous("anon-1", "viewed", {"page": "/x"})

    assert Activity.objects.get().identifier.value == "anon-1"


def pageview(client):
    client.pageview("u2", "https://example.com/p", ref="mail")

    (activity,) = find(id="u2").activities
    assert (activity.type, activity.properties) == ("page", {"ref": "mail"})
    assert activity.context["page"]["url"] == "https://example.com/p"


def backfill(client):
    client.backfill("u2", "signed up", LONG_AGO, source="x")

    (activity,) = find(id="u2").activities
    assert (activity.name, activity.timestamp) == ("signed up", LONG_AGO)
    assert activity.properties == {"source": "x"}


def add_device(client):
    client.add_device("u2", "tok:en/1", "ios", last_used=1_700_000_000)

    assert related(id="u2") == {"device: tok:en/1"}


def delete_device(client):
    add_device(client)
    client.delete_device("u2", "tok:en/1")

    assert related(id="u2") == set()


def merge_customers(client):
    client.identify(id="u1", plan="pro")
    client.identify(id="b@example.com", city="London")
    client.merge_customers("id", "u1", "email", "b@example.com")

    assert find(email="b@example.com") == find(id="u1")
    assert find(id="u1").attributes == {"plan": "pro", "city": "London"}


def delete(client):
    client.identify(id="u2")
    client.delete("u2")

    assert find(id="u2") is None


def suppress(client):
    client.identify(id="u2")
    client.suppress("u2")
    client.identify(id="u2")

    assert find(id="u2") is None


def unsuppress(client):
    suppress(client)
    client.unsuppress("u2")
    client.identify(id="u2", plan="pro")

    assert find(id="u2").attributes == {"plan": "pro"}


def batch(client):
    person = {"type": "person", "identifiers": {"id": "u1"}}
    acme = {"type": "object", "identifiers": {"object_type_id": "1", "object_id": "acme"}}
    members = [{"identifiers": {"id": "u1"}}]
    client.batch(
        [
            {**person, "action": "identify", "attributes": {"a": 1}},
            {**person, "action": "event", "name": "bought"},
            {**acme, "action": "identify", "attributes": {"b": 2}, "cio_relationships": members},
        ]
    )

    assert find(id="u1").attributes == {"a": 1}
    assert "bought" in {one.name for one in find(id="u1").activities}
    assert related(id="u1") == {"1: acme"}
    assert TrackedObject.objects.get().attributes == {"b": 2}


CALLS = {one.__name__: one for one in (
    identify, track, track_anonymous, pageview, backfill, add_device, delete_device,
    merge_customers, delete, suppress, unsuppress, batch,
)}  # fmt: skip


@pytest.mark.parametrize("name", CALLS)
def test_a_call_of_the_client_does_what_it_says(client, settings, name):
    configure(settings, SUPPRESSION_KEY="a key of the tests")

    CALLS[name](client)


def test_every_public_method_of_the_client_was_called(product):
    assert {name for name in product.methods() if name[0] != "_"} - NO_CALLS == set(CALLS)


def test_a_client_with_a_wrong_key_is_told(client, product):
    product.client.http.auth = ("shop", "wrong")

    with pytest.raises(CustomerIOException, match="401"):
        client.identify(id="42")
