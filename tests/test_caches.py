from __future__ import annotations

import pytest
from django.test import Client

from tests.web import FIREFOX, Browser

SITE_CACHE = "django.middleware.cache"


@pytest.fixture
def site_cache(settings):
    """Cache every page of the site, as Django's documentation says."""
    settings.MIDDLEWARE = [
        f"{SITE_CACHE}.UpdateCacheMiddleware",
        *settings.MIDDLEWARE,
        f"{SITE_CACHE}.FetchFromCacheMiddleware",
    ]


def made(responses):
    """Return how many of ``responses`` were really made: what a cache gives used no template."""
    return len([response for response in responses if response.templates])


def newcomer():
    return Client(headers={"user-agent": FIREFOX})


@pytest.fixture
def users(django_user_model):
    """Browsers of three people who are logged in, without the app's cookies."""
    browsers = [newcomer() for _ in range(3)]
    for number, browser in enumerate(browsers):
        browser.force_login(django_user_model.objects.create(username=f"user-{number}"))
        browser.cookies.pop("_cioanonid", None)
    return browsers


@pytest.mark.case("CACHE-01")
@pytest.mark.usefixtures("site_cache")
@pytest.mark.parametrize("visitors", [2, 100])
def test_no_visitor_of_a_cached_site_gets_the_cookie_of_another(visitors):
    responses = [newcomer().get("/") for _ in range(visitors)]

    ids = [response.cookies["_cioanonid"].value for response in responses if response.cookies]
    assert len(set(ids)) == len(ids)
    assert made(responses) == 1


@pytest.mark.case("CACHE-01")
@pytest.mark.parametrize("visitors", [2, 100])
def test_no_visitor_of_a_cached_page_gets_the_cookie_of_another(visitors):
    responses = [newcomer().get("/cached/") for _ in range(visitors)]

    assert not any(response.cookies for response in responses)
    assert made(responses) == 1


@pytest.mark.usefixtures("site_cache")
def test_a_known_visitor_fills_the_cache_for_newcomers():
    first = Browser(cioanonid="a-1", cioid="42").get("/")
    second = newcomer().get("/")

    assert made([first, second]) == 1
    assert first.content == second.content
    assert b"a-1" not in second.content
    assert not second.cookies


@pytest.mark.usefixtures("site_cache")
def test_a_page_that_shows_its_visitor_and_sets_a_cookie_is_not_kept():
    first, second = newcomer().get("/visitor/"), newcomer().get("/visitor/")

    assert first.cookies["_cioanonid"].value != second.cookies["_cioanonid"].value
    assert first.content != second.content


@pytest.mark.usefixtures("site_cache")
def test_the_script_is_kept_once_for_who_takes_gzip_and_once_for_who_does_not():
    plain = newcomer().get("/people/visitor.js")
    zipped = newcomer().get("/people/visitor.js", headers={"accept-encoding": "gzip"})
    again = newcomer().get("/people/visitor.js")

    assert zipped["Content-Encoding"] == "gzip"
    assert plain.content == again.content != zipped.content


@pytest.mark.case("CACHE-07")
def test_a_page_with_an_etag_is_still_answered_304(settings):
    settings.MIDDLEWARE = ["django.middleware.http.ConditionalGetMiddleware", *settings.MIDDLEWARE]
    etag = Browser(cioanonid="a-1").get("/")["ETag"]

    response = newcomer().get("/", headers={"if-none-match": etag})

    assert response.status_code == 304
    assert not response.cookies


@pytest.mark.case("CACHE-08")
@pytest.mark.django_db
def test_what_the_snippet_writes_is_the_same_for_everybody(django_user_model):
    known = Browser(cioanonid="a-1", cioid="42")
    known.force_login(django_user_model.objects.create(username="ada", email="ada@example.com"))

    assert known.get("/").content == newcomer().get("/").content


@pytest.mark.case("CACHE-08")
@pytest.mark.usefixtures("site_cache")
@pytest.mark.parametrize("path", ["/signed/", "/signed/cached/"])
def test_no_cache_keeps_a_signed_page(path, users):
    responses = [browser.get(path) for browser in [*users, newcomer()]]

    assert made(responses) == 4
    assert len({response.content for response in responses}) == 4


def test_a_signed_page_is_not_kept_where_a_view_is_to_be(users):
    responses = [browser.get("/signed/cached/") for browser in [*users, newcomer()]]

    assert made(responses) == 4
    assert not any("max-age" in response["Cache-Control"] for response in responses)
