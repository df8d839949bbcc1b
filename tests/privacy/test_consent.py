"""Nothing of a browser is recorded that did not consent, or objects; no page's cache is lost."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.template import Context, Template
from django.test import RequestFactory
from django.views.decorators.cache import cache_control

from identity_tracking import assets, identify, track
from identity_tracking.middleware import IdentityTrackingMiddleware
from identity_tracking.models import Activity, FailedEvent, Identifier
from identity_tracking.visitor import Visitor
from tests.factories import PersonFactory
from tests.saying import person
from tests.web import FIREFOX, Browser, configure, said
from tests.web import identify as identified

pytestmark = pytest.mark.django_db

SCRIPT = "/people/visitor.js"
SIGNALS = [{"sec-gpc": "1"}, {"dnt": "1"}]
OURS = {"_cioanonid", "_cioid"}


@pytest.fixture
def consent(settings):
    """Set CONSENT, and the cookie that gives it."""

    def set_consent(mode, cookie="consent=yes", **changes):
        configure(settings, CONSENT=mode, CONSENT_COOKIE=cookie, **changes)

    return set_consent


def browser(choice=None, *, headers=None, **cookies):
    """A browser whose visitor chose something."""
    one = Browser(headers=headers, **cookies)
    if choice is not None:
        one.cookies["consent"] = choice
    return one


def is_followed(one):
    """Whether the middleware, the page, the script and the endpoint all follow a browser.

    All of them do, or none.
    """
    page = one.get("/")
    script = one.get(SCRIPT)
    one.send(said(anonymous_id="x-1"))
    signs = {
        "cookie": "_cioanonid" in page.cookies,
        "script": script.content == assets.script(),
        "endpoint": Activity.objects.exists(),
    }
    assert len(set(signs.values())) == 1, signs
    return signs["cookie"]


@pytest.mark.case("PRIV-02")
@pytest.mark.parametrize(
    ("mode", "choice", "followed"),
    [
        ("off", None, True),
        ("off", "no", True),
        ("opt-out", None, True),
        ("opt-out", "yes", True),
        ("opt-out", "no", False),
        ("required", None, False),
        ("required", "no", False),
        ("required", "", False),
        ("required", "yes", True),
    ],
)
def test_consent_decides(consent, mode, choice, followed):
    consent(mode)

    assert is_followed(browser(choice)) is followed


@pytest.mark.parametrize(
    ("choice", "followed"), [("1", True), ("analytics", True), ("0", False), ("Denied", False)]
)
def test_a_cookie_without_a_value_is_a_yes_unless_it_says_no(consent, choice, followed):
    consent("required", cookie="consent")

    assert is_followed(browser(choice)) is followed


@pytest.mark.parametrize(
    ("mode", "answer", "followed"),
    [
        ("required", True, True),
        ("required", None, False),
        ("opt-out", None, True),
        ("opt-out", False, False),
    ],
)
def test_a_hook_may_decide(consent, mode, answer, followed):
    consent(mode, HAS_CONSENT=lambda request: answer)

    assert is_followed(browser("yes")) is followed


@pytest.mark.parametrize("mode", ["opt-out", "required"])
def test_a_hook_that_fails_is_a_no(consent, mode, caplog):
    consent(mode, HAS_CONSENT=lambda request: 1 / 0)

    assert is_followed(browser()) is False
    assert "HAS_CONSENT failed" in caplog.text


@pytest.mark.parametrize("headers", SIGNALS, ids=str)
def test_a_browser_that_objects_is_not_followed(headers):
    assert is_followed(browser(headers=headers)) is False


@pytest.mark.parametrize("headers", [{"sec-gpc": "0"}, {"dnt": "0"}, {"dnt": "unspecified"}])
def test_another_signal_is_no_objection(headers):
    assert is_followed(browser(headers=headers)) is True


@pytest.mark.parametrize("headers", SIGNALS, ids=str)
def test_a_site_may_disregard_the_signals(settings, headers):
    configure(settings, HONOUR_SIGNALS=False)

    assert is_followed(browser(headers=headers)) is True


def test_the_endpoint_answers_as_ever(consent):
    consent("required")
    answer = browser("no").send(identified("42"))

    assert (answer.status_code, answer.json()) == (200, {"success": True})


def test_cookies_from_before_go_when_consent_does(consent):
    consent("opt-out")
    one = browser("no", cioanonid="a-1", cioid="42")

    response = one.get("/")

    assert {name for name in OURS if not response.cookies[name].value} == OURS
    assert "private" in response["Cache-Control"]
    assert not one.get("/cached/").cookies


@pytest.mark.parametrize("headers", SIGNALS, ids=str)
def test_cookies_from_before_go_when_the_browser_objects(headers):
    response = browser(headers=headers, cioanonid="a-1").get("/")

    assert not response.cookies["_cioanonid"].value


def test_a_browser_without_cookies_is_sent_none(consent):
    consent("required")

    assert not browser().get("/").cookies


@pytest.mark.parametrize("headers", SIGNALS, ids=str)
def test_a_personal_link_is_not_followed_up(headers):
    somebody = PersonFactory()

    response = browser(headers=headers).open(f"/?_cio_id={somebody.cio_id}")

    assert not response.cookies
    assert not Activity.objects.exists()


def request_of(user=None, *, cookies=None, **headers):
    request: Any = RequestFactory(headers={"user-agent": FIREFOX, **headers}).get("/")
    request.COOKIES = {"_cioanonid": "a-1", "_cioid": "old", **(cookies or {})}
    request.user = user
    request.visitor = Visitor(request)
    return request


@pytest.mark.parametrize("headers", SIGNALS, ids=str)
def test_of_a_browser_that_objects_the_site_itself_may_say_who_it_is(headers):
    request = request_of(**headers)

    identify(request, id="42", plan="pro")
    track(request, "bought", id="42")

    assert person(id="42").attributes == {"plan": "pro"}
    assert list(Identifier.objects.values_list("value", flat=True)) == ["42"]
    response = HttpResponse("page", content_type="text/html")
    request.visitor.remember(response)
    assert not any(morsel.value for morsel in response.cookies.values())


def test_of_a_browser_that_objects_a_login_is_kept_without_the_browser():
    user = User.objects.create(username="ada")
    one = browser(headers={"sec-gpc": "1"}, cioanonid="a-1")

    one.force_login(user)
    request = request_of(user, **{"sec-gpc": "1"})
    identify(request)
    track(request, "bought")

    assert Activity.objects.filter(name="bought").exists()
    assert set(Identifier.objects.values_list("value", flat=True)) == {str(user.pk)}


def test_of_a_browser_that_objects_what_nobody_did_is_not_kept():
    track(request_of(**{"sec-gpc": "1"}), "bought")

    assert not Activity.objects.exists()
    assert not FailedEvent.objects.exists()


@pytest.mark.case("PRIV-02")
def test_without_consent_calls_with_the_request_keep_nothing(consent):
    consent("required")

    identify(request_of(), id="42")
    assert not Activity.objects.exists()

    identify(request_of(cookies={"consent": "yes"}), id="42")
    assert person(id="42").attributes == {}


def test_without_consent_a_page_has_no_snippet_and_varies(consent):
    consent("required")

    without, given = browser().get("/"), browser("yes").get("/")

    assert b"cio-tracker" not in without.content
    assert b"cio-tracker" in given.content
    assert "Cookie" in without["Vary"]
    assert "Cookie" in given["Vary"]
    assert not without.has_header("Cache-Control")


def test_a_page_that_the_site_caches_is_one_for_all(consent):
    consent("required")

    first, second = browser().get("/cached/"), browser("yes").get("/cached/")

    assert first.content == second.content
    assert b"cio-tracker" in first.content
    assert "Cookie" not in first.get("Vary", "")
    assert not second.templates  # the cache gave it


@pytest.mark.parametrize("mode", ["off", "opt-out"])
def test_no_page_varies_where_the_snippet_is_for_all(consent, mode):
    consent(mode)

    one = browser(cioanonid="a-1").get("/")

    assert "Cookie" not in one.get("Vary", "")
    assert b"cio-tracker" in one.content


def test_a_page_that_other_caches_keep_varies(consent):
    consent("required")
    template = Template("{% load identity_tracking %}{% identity_snippet %}")

    @cache_control(public=True, max_age=60)
    def view(request):
        return HttpResponse(template.render(Context({"request": request})))

    request = RequestFactory(headers={"user-agent": FIREFOX}).get("/")
    response: Any = IdentityTrackingMiddleware(view)(request)

    assert response.content == b""
    assert response["Vary"] == "Cookie"
    assert "public" in response["Cache-Control"]


def test_a_page_that_is_on_its_way_has_the_snippet(consent):
    consent("required")
    request = request_of()
    request.visitor.part(HttpResponse())

    page = Template("{% load identity_tracking %}{% identity_snippet %}")

    assert "cio-tracker" in page.render(Context({"request": request}))


def test_the_script_is_kept_apart_for_whom_it_is_empty():
    for headers, size in (({}, len(assets.script())), ({"sec-gpc": "1"}, 0)):
        response = browser(headers=headers).get(f"{SCRIPT}?v={assets.version()}")

        assert len(response.content) == size
        assert response["Vary"] == "Accept-Encoding, Sec-GPC, DNT"
        assert "immutable" in response["Cache-Control"]


@pytest.mark.parametrize("choice", [None, "yes"])
def test_the_script_is_not_kept_where_it_depends_on_consent(consent, choice):
    consent("required")

    response = browser(choice).get(f"{SCRIPT}?v={assets.version()}-required")

    assert response["Cache-Control"] == "private, no-cache"
    assert "Cookie" in response["Vary"]


def test_a_script_kept_from_before_has_another_address(consent, settings):
    def address():
        page = Template("{% load identity_tracking %}{% identity_snippet %}").render(Context())
        return page.partition("?v=")[2].partition('"')[0]

    addresses = [address()]
    configure(settings, HONOUR_SIGNALS=False)
    addresses.append(address())
    for mode in ("opt-out", "required"):
        consent(mode)
        addresses.append(address())

    version = assets.version()
    assert addresses == [
        version,
        f"{version}-all",
        f"{version}-all-opt-out",
        f"{version}-all-required",
    ]
