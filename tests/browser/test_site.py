"""The script, the middleware and the endpoint together, on a real site."""

from __future__ import annotations

import threading
import time

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from identity_tracking.api.browser import views
from identity_tracking.ingest.process import process
from identity_tracking.models import Activity, Person
from identity_tracking.visitor import PROMPT
from tests.web import ENDPOINT, configure

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

READY = "_cio.cookieNamespace === '_cio'"
TOKEN = "x" * 32
LOG_OUT = f"""() => {{
  document.body.innerHTML = `<form method="post" action="/accounts/logout/">
    <input name="csrfmiddlewaretoken" value="{TOKEN}"></form>`;
  document.querySelector("form").submit();
}}"""


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


@pytest.fixture
def held(monkeypatch):
    """Hold what a page posts by this name: the events say that it is here, and may go on."""
    came, go_on = threading.Event(), threading.Event()

    def hold(messages, **options):
        if any(message.name == "held" for message in messages):
            came.set()
            go_on.wait(15)
        return process(messages, **options)

    monkeypatch.setattr(views, "process", hold)
    yield came, go_on
    go_on.set()


@pytest.fixture
def adas(context, home):
    """A page whose visitor is Ada, logged in; what it posts next is the day's first."""
    ada = get_user_model().objects.create_user("ada", password="secret")
    client = Client()
    client.force_login(ada)
    known = {"sessionid": client.cookies["sessionid"].value, "csrftoken": TOKEN}
    context.add_cookies([{"name": k, "value": v, "url": home.url} for k, v in known.items()])
    home.evaluate("id => { _cio.identify(id) }", str(ada.pk))
    home.wait_for_function("Object.keys(localStorage).every(key => key.length < 9)")
    home.evaluate("localStorage.removeItem('_cio:r')")
    return home


def reset(context, tab):
    context.clear_cookies(name="sessionid")
    tab.evaluate("_cio.reset()")


def log_out(context, tab):
    with tab.expect_navigation():
        tab.evaluate(LOG_OUT)
    tab.wait_for_function(READY)


@pytest.mark.parametrize("leave", [reset, log_out])
@pytest.mark.parametrize("where", ["another tab", "the same tab"])
def test_a_late_answer_does_not_bring_back_who_left(context, adas, held, leave, where):
    came, go_on = held
    adas.evaluate("_cio.track('held')")
    assert came.wait(15)

    tab = adas if where == "the same tab" else context.new_page()
    tab.goto(adas.url)
    tab.wait_for_function("localStorage['_cio:r']")  # its own answer, which is prompt, is here
    leave(context, tab)
    fresh = value(context, "_cioanonid")
    time.sleep(PROMPT)
    go_on.set()
    named("held")
    time.sleep(0.5)  # the answer is on its way
    tab.evaluate("_cio.track('after')")

    assert named("after").person is None
    assert named("held").person == Person.objects.get()
    assert value(context, "_cioanonid") == fresh
    assert value(context, "_cioid") is None


@pytest.fixture
def moved(live_server, context, page, settings):
    """A page of a site that shares its cookies among sub-domains since somebody was there, "7"."""
    shop = f"http://www.shop.test:{live_server.thread.port}/"
    page.goto(shop)
    page.wait_for_function(READY)
    page.evaluate("_cio.identify('7'), _cio.track('before')")
    named("before")
    page.wait_for_function("localStorage['_cio:r']")
    configure(settings, COOKIE_DOMAIN=".shop.test")
    return page


def cookies_of(context):
    return {(cookie["name"], cookie["domain"]) for cookie in context.cookies()}


def test_cookies_of_the_host_are_the_domains_from_the_next_day_on(context, moved):
    moved.add_init_script("localStorage['_cio:r'] = 0")
    moved.reload()
    moved.wait_for_function("localStorage['_cio:r'] > 0")
    assert cookies_of(context) == {("_cioanonid", ".shop.test"), ("_cioid", ".shop.test")}

    moved.evaluate("_cio.reset()")
    moved.reload()
    moved.wait_for_function(READY)
    moved.evaluate("_cio.track('after')")

    assert named("after").person is None
    assert cookies_of(context) == {("_cioanonid", ".shop.test")}


def test_of_two_cookies_the_one_of_before_goes_with_the_next_answer(context, moved):
    moved.reload()
    moved.wait_for_function(READY)
    moved.evaluate("_cio.identify('8'), _cio.track('as 8')")
    named("as 8")
    moved.reload()
    moved.wait_for_function(READY)
    moved.evaluate("_cio.track('after')")

    assert named("after").person == Person.objects.find(id="8")
    assert "before" in done_by("7")
    assert {domain for _, domain in cookies_of(context)} == {".shop.test"}


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
