"""Segment's and Customer.io's scripts for pages, unmodified, in a browser."""

from __future__ import annotations

import pytest

from identity_tracking.models import Activity
from tests.clients.finding import find, related
from tests.clients.products import NODE, InPage

pytestmark = [
    pytest.mark.browser,
    pytest.mark.clients,
    pytest.mark.django_db(transaction=True),
]

PRODUCTS = {
    "@segment/analytics-next": "Segment.io",
    "@customerio/cdp-analytics-browser": "Customer.io Data Pipelines",
}
NO_CALLS = {
    # listeners, plugins and settings: nothing is sent
    "add_destination_middleware",
    "add_source_middleware",
    "create_store",
    "debug",
    "deregister",
    "emit",
    "init",
    "initialize",
    "no_conflict",
    "normalize",
    "off",
    "on",
    "once",
    "push",
    "ready",
    "register",
    "timeout",
    "use",
    "user",
    "warn_if_possible_memory_leak",
    # do nothing any more, but for a page view under an old name
    "add",
    "add_event_listener",
    "add_integration",
    "add_integration_middleware",
    "has_listeners",
    "listeners",
    "log",
    "pageview",
    "remove_all_listeners",
    "remove_event_listener",
    "remove_listener",
}
SHOP = """<!doctype html><title>Shop</title><script src="/sdk/index.js"></script>
<a href="#there">there</a> <form action="/shop/"><button>send</button></form>"""
LOAD = """async ([writeKey, settings]) => {
  const [analytics] = await AnalyticsNext.AnalyticsBrowser.load({writeKey, ...settings})
  analytics.timeout(15_000)  // milliseconds that a link or a form waits until the call is sent
  window.analytics = analytics
}"""


@pytest.fixture(params=PRODUCTS)
def name(request):
    return request.param


@pytest.fixture
def shop(live_server, context, page, name):
    """Open a page that has the script. It asks nobody but the site and its own scripts."""
    scripts = NODE / "node_modules" / name / "dist/umd"
    strangers = []

    def answer(route):
        url = route.request.url
        if "/sdk/" in url or "/analytics-next/bundles/" in url:
            route.fulfill(path=scripts / url.rpartition("/")[2])
        elif url.startswith(f"{live_server.url}/shop/"):
            route.fulfill(body=SHOP, content_type="text/html")
        elif url.startswith(f"{live_server.url}/people/"):
            route.fallback()
        else:
            strangers.append(url)
            route.abort()

    context.route("**/*", answer)
    page.goto(f"{live_server.url}/shop/")
    yield page
    assert [url for url in strangers if not url.endswith("/favicon.ico")] == []


@pytest.fixture
def told(live_server, name):
    """Return the settings that tell a script where to send."""
    there = {"apiKey": "shop", "apiHost": f"{live_server.url}/people/v1".partition("//")[2]}
    return {"cdnSettings": {"integrations": {PRODUCTS[name]: {**there, "protocol": "http"}}}}


@pytest.fixture
def product(shop, told, name):
    shop.evaluate(LOAD, ["shop", told])
    return InPage(name, shop)


@pytest.fixture
def client(using, product):
    return using(product)


def identify(client):
    client.track("looked")
    client.identify("A", {"email": "a@example.com", "plan": "pro"})

    assert find(id="A") == find(email="a@example.com")
    assert find(id="A").attributes == {"plan": "pro"}
    assert {one.type for one in find(id="A").activities} == {"identify", "track"}


def track(client):
    client.track("bought", {"revenue": 12.5})

    activity = Activity.objects.get()
    assert (activity.name, activity.properties) == ("bought", {"revenue": 12.5})
    assert not activity.trusted


def page(client):
    client.page("Docs", "Home", {"k": 1})

    activity = Activity.objects.get()
    assert (activity.type, activity.name) == ("page", "Home")
    assert activity.properties == {"category": "Docs", "k": 1, "name": "Home"}
    assert activity.context["page"]["path"] == "/shop/"


def screen(client):
    client.screen("Checkout")

    assert Activity.objects.get().context["screen"] == {"name": "Checkout"}


def group(client):
    client.identify("A")
    client.group("initech", {"name": "Initech"})

    assert related(id="A") == {"1: initech"}


def alias(client):
    client.track("looked")
    client.alias("A")
    client.identify("A")
    client.alias("A2")

    assert {one.type for one in find(id="A").activities} == {"alias", "identify", "track"}
    assert find(id="A") != find(id="A2")


def reset(client):
    client.identify("A")
    client.reset()
    client.track("looked")

    assert Activity.objects.get(name="looked").person is None


def set_anonymous_id(client):
    client.set_anonymous_id("anon-1")
    client.track("looked")

    assert Activity.objects.get().identifier.value == "anon-1"


def query_string(client):
    client.query_string("?ajs_uid=A&ajs_trait_plan=pro&ajs_event=came&ajs_prop_by=mail")

    assert find(id="A").attributes == {"plan": "pro"}
    assert find(id="A").activities.get(name="came").properties == {"by": "mail"}


def track_link(client):
    client.track_link("went", on="a")

    assert Activity.objects.get().name == "went"


def track_form(client):
    client.track_form("asked", on="form")

    assert Activity.objects.get().name == "asked"


def track_click(client):
    client.track_click("went", on="a")

    assert Activity.objects.get().name == "went"


def track_submit(client):
    client.track_submit("asked", on="form")

    assert Activity.objects.get().name == "asked"


CALLS = {one.__name__: one for one in (
    identify, track, page, screen, group, alias, reset, set_anonymous_id, query_string,
    track_link, track_form, track_click, track_submit,
)}  # fmt: skip


@pytest.mark.parametrize("method", CALLS)
def test_a_call_of_the_script_does_what_it_says(client, method):
    CALLS[method](client)


def test_every_public_method_of_the_script_was_called(product):
    public = {name for name in product.methods() if name[0] != "_"}

    assert public - NO_CALLS == set(CALLS)


def test_the_site_tells_a_script_where_to_send(shop, live_server, name):
    shop.evaluate(LOAD, ["shop", {"cdnURL": f"{live_server.url}/people"}])
    InPage(name, shop).call("track", "looked")

    assert Activity.objects.get().name == "looked"


def test_a_call_that_the_script_sends_again_is_its_browsers_not_whoever_is_there_by_now(
    client, shop
):
    shop.route("**/v1/t", lambda route: route.abort())
    client.track("made by nobody yet")
    for who in ("A", "B"):
        client.identify(who)
        client.reset()
    client.identify("C")

    with shop.expect_response("**/v1/t"):
        shop.unroute("**/v1/t")

    activity = Activity.objects.get(type="track")
    assert activity.person == find(id="A")
