from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from asgiref.sync import async_to_sync, iscoroutinefunction
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.http import (
    HttpResponse,
    HttpResponseNotFound,
    HttpResponseNotModified,
    JsonResponse,
    StreamingHttpResponse,
)
from django.template import Context, Template
from django.test import AsyncClient, RequestFactory
from django.test.utils import CaptureQueriesContext

from identity_tracking import track
from identity_tracking.middleware import IdentityTrackingMiddleware
from identity_tracking.models import Person
from identity_tracking.visitor import Visitor
from tests.web import FIREFOX, Browser, configure

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
PAGE_HEADERS = {"Content-Type": "text/html; charset=utf-8"}


def visit(response=None, *, method="GET", path="/", cookies=None, **headers):
    """Send one request through the middleware alone."""
    request = RequestFactory(headers={"user-agent": FIREFOX, **headers}).generic(method, path)
    request.COOKIES = cookies or {}
    return serve(lambda request: HttpResponse("page") if response is None else response, request)


def serve(view, request):
    return IdentityTrackingMiddleware(view)(request)


def set_cookies(response):
    return set(response.cookies)


def test_a_new_visitor_of_a_page_gets_an_anonymous_id_and_nothing_else():
    assert set_cookies(visit()) == {"_cioanonid"}


def test_a_page_of_more_parameters_than_django_reads_is_served():
    assert visit(path=f"/?{'a&' * 1_001}", **{"sec-fetch-mode": "navigate"}).status_code == 200


def test_two_visitors_get_two_ids():
    assert visit().cookies["_cioanonid"].value != visit().cookies["_cioanonid"].value


def test_a_known_visitor_gets_no_cookie():
    response = visit(cookies={"_cioanonid": "a-1", "_cioid": "42"})

    assert set_cookies(response) == set()


@pytest.mark.case("CACHE-04")
def test_a_response_that_sets_a_cookie_is_private_and_varies_by_cookie():
    response = visit()

    assert response["Cache-Control"] == "private"
    assert response["Vary"] == "Cookie"


def test_a_response_that_sets_no_cookie_is_left_as_it_was():
    response = visit(cookies={"_cioanonid": "a-1"})

    assert "Vary" not in response
    assert "Cache-Control" not in response


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "OPTIONS"])
def test_only_get_sets_a_cookie(method):
    assert set_cookies(visit(method=method)) == set()


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse("x", status=201),
        HttpResponse("x", status=302, headers={"Location": "/"}),
        HttpResponseNotFound("x"),
        HttpResponse("x", status=500),
        HttpResponseNotModified(),
        JsonResponse({}),
        HttpResponse("x", content_type="text/css"),
        HttpResponse("x", content_type="image/png"),
        StreamingHttpResponse(["x"]),
    ],
    ids=lambda response: f"{response.status_code} {response.get('Content-Type', '')}",
)
def test_only_a_page_of_html_sets_a_cookie(response):
    assert set_cookies(visit(response)) == set()


@pytest.mark.case("CACHE-04")
@pytest.mark.parametrize(
    "headers",
    [
        {"Cache-Control": "public"},
        {"Cache-Control": "max-age=60"},
        {"Cache-Control": "Public, Max-Age=60"},
        {"Cache-Control": "s-maxage=60"},
        {"Expires": "Wed, 21 Oct 2099 07:28:00 GMT"},
        {"Surrogate-Control": "max-age=60"},
        {"CDN-Cache-Control": "max-age=60"},
        {"X-Accel-Expires": "60"},
    ],
    ids=str,
)
def test_a_response_that_caches_may_keep_sets_no_cookie(headers):
    response = visit(HttpResponse("page", headers=headers))

    assert set_cookies(response) == set()
    assert dict(response.headers) == {**PAGE_HEADERS, **headers}


@pytest.mark.parametrize("control", ["private, max-age=60", "no-store", "no-cache", "max-age=0"])
def test_a_response_that_caches_may_not_share_sets_one(control):
    response = visit(HttpResponse("page", headers={"Cache-Control": control}))

    assert set_cookies(response) == {"_cioanonid"}
    assert "private" in response["Cache-Control"]


@pytest.mark.case("CACHE-07")
@pytest.mark.parametrize("name", ["if-none-match", "if-modified-since"])
def test_a_conditional_request_gets_no_cookie(name):
    assert set_cookies(visit(**{name: '"etag"'})) == set()


@pytest.mark.case("CACHE-10")
@pytest.mark.parametrize(
    "headers",
    [
        {"sec-purpose": "prefetch"},
        {"sec-purpose": "prefetch;prerender"},
        {"purpose": "prefetch"},
        {"user-agent": GOOGLEBOT},
        {"user-agent": "curl/8.5.0"},
        {"user-agent": "facebookexternalhit/1.1"},
        {"user-agent": "Mozilla/5.0 AppleWebKit/537.36 HeadlessChrome Chrome-Lighthouse"},
    ],
    ids=str,
)
def test_what_no_person_asked_for_sets_no_cookie(headers):
    assert set_cookies(visit(**headers)) == set()


def test_excluded_paths_set_no_cookie(settings):
    configure(settings, EXCLUDE_PATHS=["/admin/"])

    assert set_cookies(visit(path="/admin/people/")) == set()
    assert set_cookies(visit(path="/administrators/")) == {"_cioanonid"}


def test_excluded_requests_set_no_cookie(settings):
    configure(settings, EXCLUDE=lambda request: request.path == "/staff/")

    assert set_cookies(visit(path="/staff/")) == set()
    assert set_cookies(visit(path="/")) == {"_cioanonid"}


@pytest.mark.django_db
def test_a_request_is_asked_once_whether_it_is_excluded(settings):
    asked: list[object] = []
    configure(settings, EXCLUDE=asked.append)

    def view(request):
        track(request, "looked")
        track(request, "looked again")
        return HttpResponse("page")

    response = serve(view, RequestFactory(headers={"user-agent": FIREFOX}).get("/"))

    assert set_cookies(response) == {"_cioanonid"}
    assert len(asked) == 1


def test_who_logs_in_is_asked_anew_whether_they_are_excluded(settings):
    configure(settings, EXCLUDE=lambda request: getattr(request, "user", None) is not None)
    request = RequestFactory(headers={"user-agent": FIREFOX}).get("/")
    visitor = Visitor(request)
    assert visitor.may_be_recorded()

    request.user = User(username="staff")
    visitor.log_in(request.user)

    assert not visitor.may_be_recorded()


def test_a_new_id_that_a_view_asked_for_is_kept_in_a_cookie_whatever_it_answers():
    seen = []

    def view(request):
        seen.append(request.visitor.anonymous_id)
        return JsonResponse({})

    response = serve(view, RequestFactory().get("/"))

    assert response.cookies["_cioanonid"].value == seen[0]
    assert response["Cache-Control"] == "private"


def test_a_page_never_touches_the_session():
    class Untouchable:
        def __getattr__(self, name):
            raise AssertionError(name)

    request = RequestFactory(headers={"user-agent": FIREFOX}).get("/?page=2")
    vars(request).update(session=Untouchable(), user=Untouchable())

    response = serve(lambda request: HttpResponse("page"), request)

    assert set_cookies(response) == {"_cioanonid"}


@pytest.mark.django_db
@pytest.mark.parametrize("cookies", [{}, {"cioanonid": "a-1", "cioid": "42"}])
def test_a_page_makes_no_query(cookies):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        response = Browser(**cookies).get("/")

    assert response.status_code == 200
    assert len(queries) == 0


@pytest.mark.django_db
def test_a_page_that_asks_for_the_visitor_makes_no_query_for_the_visitor_alone():
    with CaptureQueriesContext(connection) as queries:
        response = Browser(cioanonid="a-1").get("/visitor/")

    assert b"<b>a-1</b>" in response.content
    assert len(queries) == 0


@pytest.mark.django_db
def test_an_async_client_gets_the_cookie_too():
    response = async_to_sync(AsyncClient().get)("/", headers={"user-agent": FIREFOX})

    assert set_cookies(response) == {"_cioanonid"}


def test_in_a_chain_of_async_middleware_it_is_async_itself():
    async def view(request):
        return HttpResponse(request.visitor.cookie_anonymous_id)

    middleware = IdentityTrackingMiddleware(view)
    request = RequestFactory().get("/")
    request.COOKIES = {"_cioanonid": "a-1"}

    assert iscoroutinefunction(middleware)
    assert asyncio.run(middleware(request)).content == b"a-1"


def asks_for_its_id(request):
    request.visitor.anonymous_id  # noqa: B018
    return HttpResponse("page")


def logs_out(request):
    request.visitor.forget()
    return HttpResponse("page")


@pytest.mark.case("PRIV-02")
@pytest.mark.parametrize("view", [asks_for_its_id, logs_out])
@pytest.mark.parametrize(
    "change", [{"ENABLED": False}, {"EXCLUDE": lambda request: True}], ids=["off", "excluded"]
)
def test_no_cookie_is_set_where_nothing_may_be_recorded(settings, change, view):
    configure(settings, **change)

    response = serve(view, RequestFactory(headers={"user-agent": FIREFOX}).get("/"))

    assert set_cookies(response) == set()
    assert "Vary" not in response


def test_a_logout_forgets_the_person_even_where_nothing_may_be_recorded(settings):
    configure(settings, ENABLED=False)
    request = RequestFactory().get("/")
    request.COOKIES = {"_cioanonid": "a-1", "_cioid": "42"}

    response = serve(logs_out, request)

    assert set_cookies(response) == {"_cioid"}
    assert response.cookies["_cioid"]["max-age"] == 0


def fails(*args):
    raise RuntimeError("a site's own hook is broken")


@pytest.mark.parametrize("path", ["/", "/?_cio_id=00000000000000000000000000000000"])
def test_a_broken_hook_never_reaches_the_page(settings, caplog, path):
    configure(settings, EXCLUDE=fails)

    response = visit(path=path, **{"sec-fetch-mode": "navigate"})

    assert response.content == b"page"
    assert set_cookies(response) == set()
    assert caplog.records[0].levelno == logging.ERROR


@pytest.mark.django_db
def test_an_exclusion_may_ask_the_database_under_async_too(settings):
    configure(settings, EXCLUDE=lambda request: not request.path or Person.objects.exists())

    response = async_to_sync(AsyncClient().get)("/", headers={"user-agent": FIREFOX})

    assert set_cookies(response) == {"_cioanonid"}


def test_who_has_no_cookie_is_nobody_without_asking(caplog):
    request = RequestFactory().get("/")

    serve(lambda request: HttpResponse(), request)

    assert request.visitor.claimed_person is None  # type: ignore[attr-defined]
    assert caplog.records == []


@pytest.mark.parametrize("user", [None, AnonymousUser()])
def test_who_is_not_logged_in_is_nobody_without_asking(user, caplog):
    request = RequestFactory().get("/")
    if user:
        request.user = user

    serve(lambda request: HttpResponse(), request)

    assert request.visitor.person is None  # type: ignore[attr-defined]
    assert caplog.records == []


# Signed pages

SIGNED = Template("{% load identity_tracking %}{% identity_snippet sign=True %}")


def visit_signed(response, **headers):
    """Answer with ``response`` around a signed page."""
    request = RequestFactory(headers={"user-agent": FIREFOX, **headers}).get("/")
    request.user = User(pk=42)

    def view(request):
        response.content = SIGNED.render(Context({"request": request}))
        return response

    return serve(view, request)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Cache-Control": "public"},
        {"Surrogate-Control": "max-age=60"},
        {"CDN-Cache-Control": "max-age=60"},
        {"X-Accel-Expires": "60"},
    ],
    ids=str,
)
def test_a_signed_page_is_private_whatever_the_view_says(headers):
    response = visit_signed(HttpResponse(headers=headers))

    assert b'data-site-id="shop:' in response.content
    assert dict(response.headers) == {**PAGE_HEADERS, "Cache-Control": "private", "Vary": "Cookie"}


@pytest.mark.parametrize("user_agent", [FIREFOX, GOOGLEBOT])
@pytest.mark.parametrize("change", [{}, {"EXCLUDE": lambda request: request.no_such_attribute}])
def test_a_signed_page_is_private_whether_a_cookie_is_set_or_not(settings, user_agent, change):
    configure(settings, **change)

    response = visit_signed(HttpResponse(), **{"user-agent": user_agent})

    assert response["Cache-Control"] == "private"


@pytest.mark.django_db
def test_a_page_that_would_be_signed_is_private_for_an_anonymous_visitor_too():
    response = Browser(cioanonid="a-1").get("/signed/")

    assert response["Cache-Control"] == "private"
    assert response["Vary"] == "Cookie"


@pytest.mark.django_db
def test_under_async_a_signed_page_is_private_too():
    client = AsyncClient()
    client.force_login(User.objects.create(username="ada"))

    response = async_to_sync(client.get)("/signed/", headers={"user-agent": FIREFOX})

    assert b'data-site-id="shop:' in response.content
    assert response["Cache-Control"] == "private"


def test_a_page_whose_headers_have_left_is_not_signed():
    def pieces():
        yield SIGNED.render(Context({"request": request}))

    request = RequestFactory().get("/")
    request.user = User(pk=42)
    response: Any = serve(lambda request: StreamingHttpResponse(pieces()), request)

    assert b'data-site-id="shop"' in b"".join(response)
    assert "Cache-Control" not in response


def test_switched_off_a_signed_page_is_left_as_it_was(settings):
    configure(settings, ENABLED=False)

    assert dict(visit_signed(HttpResponse()).headers) == PAGE_HEADERS
