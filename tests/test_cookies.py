from __future__ import annotations

import json
from importlib import import_module

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from django.test.utils import override_settings

from identity_tracking.middleware import IdentityTrackingMiddleware
from identity_tracking.visitor import Visitor
from tests.web import ENDPOINT, FIREFOX, Browser, configure, said

YEAR = 365 * 24 * 60 * 60
IDS = ["42", "ada@example.com", "cio_0a1b", "Jürgen; a=b", "日本語 🙂", 'a,b "c" \\d', "100%"]
NO_ANONYMOUS_IDS = [
    *("", " ", "null", "undefined", "[object Object]", "0", "x" * 151, "x" * 100_000),
    *("a\0b", "a\rb", "a\nSet-Cookie: evil=1", "\x7f", "\ud800"),
]
JUNK = [
    *("%", "%ff", "%00", "%0d%0aSet-Cookie:%20a=b", "%ED%A0%80", '"', "\\", "' OR 1=1 --"),
    *("cio_", "cio_x", "x" * 8000, "null", "signed:value:x"),
]


def visit(act=lambda visitor: None, **request):
    """Let ``act`` do something to the visitor of one page; return the cookies that are set."""

    def view(request):
        act(request.visitor)
        return HttpResponse("page")

    made = RequestFactory(headers={"user-agent": FIREFOX}).get("/", **request)
    return IdentityTrackingMiddleware(view)(made).cookies  # type: ignore[union-attr]


def become(value):
    return lambda visitor: visitor.become(value)


def everything(visitor):
    visitor.rotate()
    visitor.become("42")


@pytest.mark.case("COOK-07")
@pytest.mark.parametrize("name", ["_cioanonid", "_cioid"])
def test_a_cookie_lasts_a_year_on_the_whole_site(name):
    cookie = visit(everything)[name]

    assert cookie["max-age"] == YEAR
    assert cookie["path"] == "/"
    assert cookie["samesite"] == "Lax"
    assert cookie["domain"] == ""


@pytest.mark.case("COOK-07", "COOK-08")
@pytest.mark.parametrize("name", ["_cioanonid", "_cioid"])
def test_a_cookie_is_secure_on_https_and_readable_for_the_script(name):
    assert not visit(everything)[name]["secure"]
    assert visit(everything, secure=True)[name]["secure"]
    assert not visit(everything, secure=True)[name]["httponly"]


@pytest.mark.parametrize("name", ["_cioanonid", "_cioid"])
def test_a_site_may_share_its_cookies_among_sub_domains(settings, name):
    configure(settings, COOKIE_DOMAIN=".shop.example", COOKIE_MAX_AGE=60)

    cookie = visit(everything)[name]

    assert cookie["domain"] == ".shop.example"
    assert cookie["max-age"] == 60


@pytest.mark.parametrize("name", ["_cioanonid", "_cioid"])
def test_a_cross_site_cookie_says_so_and_is_secure_as_browsers_demand(settings, name):
    configure(settings, CROSS_SITE=True)

    cookie = visit(everything)[name]

    assert cookie["samesite"] == "None"
    assert cookie["secure"]


def test_a_cookie_is_deleted_from_where_it_was_set(settings):
    configure(settings, COOKIE_DOMAIN=".shop.example")

    cookie = visit(lambda visitor: visitor.forget(), HTTP_COOKIE="_cioid=42")["_cioid"]

    assert (cookie.value, cookie["max-age"]) == ("", 0)
    assert (cookie["domain"], cookie["path"]) == (".shop.example", "/")


@pytest.mark.parametrize(
    "value", ["0192a-x", "A", "x" * 150, "a.b~c_d-e", "J%C3%BCrgen", "MjAyNg==", "1e5", "00a"]
)
def test_an_anonymous_id_is_kept_byte_for_byte(value):
    seen = []

    cookies = visit(
        lambda visitor: seen.append(visitor.anonymous_id), HTTP_COOKIE=f"_cioanonid={value}"
    )

    assert seen == [value]
    assert not cookies


@pytest.mark.parametrize("value", NO_ANONYMOUS_IDS, ids=range(len(NO_ANONYMOUS_IDS)))
def test_what_is_no_anonymous_id_is_replaced(value):
    request = RequestFactory(headers={"user-agent": FIREFOX}).get("/")
    request.COOKIES = {"_cioanonid": value}

    response = IdentityTrackingMiddleware(lambda request: HttpResponse("page"))(request)

    assert len(response.cookies["_cioanonid"].value) == 36  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "value",
    ["42", "ada@example.com", "cio_0a1b", "Jürgen; a=b", "日本語 🙂", 'a,b "c" \\d', "100%"],
)
def test_any_id_survives_its_cookie(value):
    written = visit(become(value))["_cioid"].OutputString()

    read = RequestFactory().get("/", HTTP_COOKIE=written.partition("; ")[0])

    assert Visitor(read).claimed_id == value


@pytest.mark.case("COOK-11")
@pytest.mark.parametrize(
    "value", ["x\r\nSet-Cookie: sessionid=evil", "a\0b", "a; Path=/evil", "\x7f"]
)
def test_no_id_adds_to_the_header(value):
    written = visit(become(value))["_cioid"].OutputString()

    assert written.count("Path=") == 1
    assert written.isprintable()


@pytest.mark.django_db
@pytest.mark.parametrize("value", JUNK, ids=range(len(JUNK)))
@pytest.mark.parametrize("path", ["/who/", "/visitor/"])
def test_junk_in_the_cookie_of_the_person_is_nobody(value, path, caplog):
    browser = Browser(cioid=value, cioanonid=value)

    response = browser.get(path)

    assert response.status_code == 200
    assert b"Claimed: <b></b>" in response.content or path == "/visitor/"
    assert caplog.records == []


@pytest.mark.django_db
@pytest.mark.parametrize(
    "value", ["42", "ada%40example.com", "ada@example.com", "a!b'c()*", "%", "%ff", "%00"]
)
def test_renewing_sends_back_what_came(value):
    browser = Browser(cioid=value, cioanonid="a-1")

    response = browser.send(said(anonymous_id="a-1"), renew=True)

    assert response.cookies["_cioid"].coded_value == value
    assert response.cookies["_cioanonid"].value == "a-1"
    assert response.cookies["_cioid"]["max-age"] == YEAR


@pytest.mark.django_db
@pytest.mark.parametrize("leaves", [True, False])
def test_nothing_is_renewed_of_who_logs_out_before_the_answer(settings, django_user_model, leaves):
    browser = Browser(cioanonid="a-1")
    browser.force_login(django_user_model.objects.create_user("ada"))
    asked = []  # while the request is under way

    def log_out(request):
        asked.append(request.path)
        if leaves:
            browser.session.flush()

    configure(settings, EXCLUDE=log_out)
    response = browser.send(said(anonymous_id="a-1"), renew=True)

    assert asked == [ENDPOINT]
    assert ("_cioanonid" in response.cookies) is not leaves


@pytest.mark.django_db
@pytest.mark.parametrize("engine", ["db", "cached_db", "cache", "file", "signed_cookies"])
def test_an_empty_session_has_not_ended(settings, tmp_path, engine):
    settings.SESSION_FILE_PATH = tmp_path
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session.save()
    browser = Browser(cioanonid="a-1", cioid="42")
    browser.cookies["sessionid"] = session.session_key

    kept = browser.send(said(anonymous_id="a-1"), renew=True).cookies
    session.delete()
    ended = browser.send(said(anonymous_id="a-1"), renew=True).cookies

    assert {"_cioanonid", "_cioid"} <= set(kept)
    assert "_cioid" not in ended or engine == "signed_cookies"  # that one ends in the browser


@pytest.mark.django_db
@pytest.mark.parametrize("sent", ["_cioanonid=a-1; _cioid=42", "_cioanonid=a-1; _cioanonid=a-2"])
def test_a_retry_renews_nothing(settings, sent):
    configure(settings, COOKIE_DOMAIN=".shop.example")
    body = {"site_id": "shop", "messages": [said(anonymous_id="a-1")], "renew": True, "retry": 1}

    response = Browser().post_text(json.dumps(body), HTTP_COOKIE=sent)

    assert not response.cookies


@pytest.mark.django_db
def test_nothing_is_renewed_unasked():
    response = Browser(cioid="42", cioanonid="a-1").send(said(anonymous_id="a-1"))

    assert not response.cookies


@pytest.mark.case("COOK-05", "COOK-06")
@override_settings(SECRET_KEY="another")
def test_cookies_know_no_secret_key():
    assert not visit(HTTP_COOKIE="_cioanonid=a-1; _cioid=42")


def test_a_cookie_of_the_domain_replaces_that_of_the_host(settings):
    configure(settings, COOKIE_DOMAIN=".shop.example")

    cookies = visit(become("42"), HTTP_COOKIE="_cioid=7")

    of_host, of_domain = cookies.values()
    assert (of_host.key, of_host.value, of_host["max-age"]) == ("_cioid", "", 0)
    assert (of_host["domain"], of_host["path"]) == ("", "/")
    assert (of_domain.key, of_domain.value, of_domain["domain"]) == (
        "_cioid",
        "42",
        ".shop.example",
    )


def test_a_logout_lets_go_of_the_cookies_of_the_host_too(settings):
    configure(settings, COOKIE_DOMAIN=".shop.example")

    cookies = visit(lambda visitor: visitor.forget(), HTTP_COOKIE="_cioid=7; _cioanonid=a-1")

    gone = [morsel for morsel in cookies.values() if morsel.key == "_cioid"]
    assert [(morsel.value, morsel["domain"]) for morsel in gone] == [
        ("", ""),
        ("", ".shop.example"),
    ]


def test_a_cookie_of_the_host_replaces_that_of_its_own_domain_where_both_came():
    cookies = visit(become("42"), HTTP_COOKIE="_cioid=7; _cioid=8", HTTP_HOST="testserver:8000")

    of_domain, of_host = cookies.values()
    assert (of_domain.value, of_domain["domain"]) == ("", "testserver")
    assert (of_host.value, of_host["domain"]) == ("42", "")


@pytest.mark.parametrize("sent", ["_cioid=7", "_cioid=7; my_cioid=8", "a=_cioid=; _cioid=7"])
def test_without_a_domain_nothing_is_let_go_that_came_once(sent):
    assert set(visit(become("42"), HTTP_COOKIE=sent)) == {"_cioid"}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("sent", "ids"),
    [
        ("_cioanonid=a-1; _cioanonid=a-2; _cioid=7", ("a-2", "")),  # a reset
        ("_cioanonid=a-1; _cioid=7; _cioanonid=a-2; _cioid=8", ("a-2", "8")),  # another person
        ("_cioanonid=a-1; _cioanonid=a-1; _cioid=7", ("a-1", "7")),
        ("_cioanonid=a-1; _cioid=7; _cioid=8", ("a-1", "8")),
    ],
)
def test_of_two_cookies_of_one_name_the_newer_is_kept(settings, sent, ids):
    configure(settings, COOKIE_DOMAIN=".shop.example")
    body = {"site_id": "shop", "messages": [said(anonymous_id="a-2")]}

    cookies = Browser().post_text(json.dumps(body), HTTP_COOKIE=sent).cookies

    assert (cookies["_cioanonid"].value, cookies["_cioid"].value) == ids
    assert cookies["_cioanonid of before"]["max-age"] == 0
