"""The script, the middleware and the endpoint together, on a real site."""

from __future__ import annotations

import time

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from identity_tracking.models import Activity, Person
from tests.web import ENDPOINT, configure

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

READY = "_cio.cookieNamespace === '_cio'"


def eventually(find):
    """Wait until the database has what ``find`` looks for."""
    deadline = time.monotonic() + 15
    while not (found := find()):
        assert time.monotonic() < deadline, list(Activity.objects.values_list("type", "name"))
        time.sleep(0.02)
    return found


def named(name):
    return eventually(lambda: Activity.objects.filter(name=name).first())


@pytest.fixture
def home(live_server, page):
    page.goto(live_server.url)
    page.wait_for_function(READY)
    return page


def done_by(id):
    """Return the names of all that a person did."""
    person = Person.objects.find(id=id)
    assert person
    return set(person.activities.values_list("name", flat=True))


def value(context, name):
    return next((c["value"] for c in context.cookies() if c["name"] == name), None)


def test_07_the_middlewares_cookie_is_kept_and_used(context, home):
    set_by_middleware = value(context, "_cioanonid")

    home.evaluate("_cio.identify('7'), _cio.track('seen')")

    named("seen")
    assert value(context, "_cioanonid") == set_by_middleware
    assert Person.objects.find(anonymous_id=set_by_middleware) == Person.objects.find(id="7")


def test_08_cookies_of_the_script_and_of_the_middleware_have_the_same_attributes(context, home):
    home.wait_for_load_state("networkidle")  # the first answer may still renew the cookie
    of_middleware = context.cookies()[0]

    home.evaluate("_cio.reset()")
    home.wait_for_function("old => !document.cookie.includes(old)", arg=of_middleware["value"])

    of_script = context.cookies()[0]
    assert of_script["value"] != of_middleware["value"]
    for attribute in ("name", "domain", "path", "sameSite", "secure", "httpOnly"):
        assert of_script[attribute] == of_middleware[attribute]
    assert abs(of_script["expires"] - of_middleware["expires"]) < 60


@pytest.mark.parametrize("id", ["Ådä 😀", "a;b=c, d", "100%"])
def test_10_any_id_reaches_django(home, id):
    home.evaluate("id => { _cio.identify({id}); _cio.track('after') }", id)

    named("after")
    assert "after" in done_by(id)


def test_11_what_was_anonymous_becomes_the_persons(home):
    home.evaluate("_cio.track('before')")
    named("before")

    home.evaluate("_cio.identify('7', {plan: 'pro'}), _cio.track('after')")

    named("after")
    assert {"before", "after"} <= done_by("7")


def test_14_login_and_logout_are_seen_without_a_reload(context, home):
    user = get_user_model().objects.create_user("ada", password="secret")
    other = context.new_page()
    other.goto(f"{home.url}accounts/login/")
    other.fill("[name=username]", "ada")
    other.fill("[name=password]", "secret")
    with other.expect_navigation():
        other.keyboard.press("Enter")

    home.wait_for_function("_cio._findCustomer() !== ''")
    home.evaluate("_cio.track('in')")

    named("in")
    assert "in" in done_by(str(user.pk))


def test_15_a_personal_link_is_followed_and_stored_nowhere(live_server, page):
    page.goto(live_server.url)
    page.wait_for_function(READY)
    page.evaluate("_cio.identify('7'), _cio.track('identified')")
    named("identified")
    link = Person.objects.get(user_id="7").cio_id
    page.context.clear_cookies()
    page.goto(f"{live_server.url}/?_cio_id={link}&utm_source=mail")
    page.wait_for_function(READY)

    page.evaluate("_cio.track('followed')")

    named("followed")
    assert "followed" in done_by("7")
    assert "_cio_id" not in page.url
    assert not any("_cio_id" in str(activity.context) for activity in Activity.objects.all())


@pytest.fixture
def ada(db):
    return get_user_model().objects.create_user("ada", "ada@example.com")


@pytest.fixture
def signed(live_server, context, page, ada, settings):
    """A page that Ada opens after her login, and that posts to another origin."""
    shop, collector = live_server.url, f"http://collector.test:{live_server.thread.port}"
    configure(settings, ALLOWED_ORIGINS=[shop], EMAIL_VERIFIED=lambda user: user == ada)
    client = Client()
    client.force_login(ada)
    session = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": session, "url": shop}])
    page.goto(f"{shop}/signed/?collector={collector}{ENDPOINT}")
    page.wait_for_function(READY)
    return page


def send(page, **traits):
    """Identify with ``traits``, and return the request that told and the activity it became."""
    with page.expect_request("http://collector.test:*/**") as sent:
        page.evaluate("traits => _cio.identify(traits)", {**traits, "seen": "here"})
    stored = Activity.objects.filter(properties__seen="here")
    return sent.value, eventually(stored.first)


def test_on_another_origin_a_signature_proves_what_no_session_does(signed, ada):
    request, activity = send(signed, id=str(ada.pk), email="ada@example.com")

    assert "cookie" not in request.all_headers()
    assert activity.trusted
    assert activity.claims.get(weak__value="ada@example.com").firm


def test_on_another_origin_a_signature_proves_no_other_id(signed):
    _, activity = send(signed, id="somebody", email="ada@example.com")

    assert not activity.trusted
    assert not activity.claims.get(weak__value="ada@example.com").firm
