from __future__ import annotations

import logging
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.settings import api_settings

from identity_tracking.models import Activity
from tests.web import Browser, identify, said, track

pytestmark = pytest.mark.django_db

HOSTILE = f"{__name__}.Hostile"


class Hostile(BaseAuthentication):
    """Stands wherever a site may name a class of its own; all it does is fail."""

    def __init__(self, *args, **kwargs):
        raise AuthenticationFailed("the site's own class was used")


def handle(*args):
    raise AssertionError("the site's own handler was used")


@pytest.fixture
def host(settings):
    """Take a site whose REST framework settings leave nothing as it was."""
    settings.REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": [HOSTILE],
        "DEFAULT_PERMISSION_CLASSES": [HOSTILE],
        "DEFAULT_THROTTLE_CLASSES": [HOSTILE],
        "DEFAULT_PARSER_CLASSES": [HOSTILE],
        "DEFAULT_RENDERER_CLASSES": [HOSTILE],
        "DEFAULT_CONTENT_NEGOTIATION_CLASS": HOSTILE,
        "DEFAULT_VERSIONING_CLASS": HOSTILE,
        "DEFAULT_METADATA_CLASS": HOSTILE,
        "EXCEPTION_HANDLER": f"{__name__}.handle",
        "UNAUTHENTICATED_USER": None,
        "FORMAT_SUFFIX_KWARG": None,
        "URL_FORMAT_OVERRIDE": "format",
        "UNICODE_JSON": False,
        "COMPACT_JSON": True,
    }
    api_settings.reload()


@pytest.mark.usefixtures("host")
def test_the_hosts_rest_framework_settings_change_nothing():
    response = Browser(headers={"accept": "text/html"}).send(said(anonymous_id="a-1"))

    assert (response.status_code, response.content) == (200, b'{"success":true}')
    assert response["Content-Type"] == "application/json"


@pytest.mark.usefixtures("host")
def test_nor_how_a_refusal_reads():
    response = Browser().post_text("{")

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_json"


@pytest.mark.parametrize("query", ["?format=api", "?format=xml", "?version=9"])
def test_nothing_in_the_address_changes_the_answer(query):
    response = Browser().post(f"/people/visit/{query}", "{", content_type="text/plain")

    assert response.json()["error"]["code"] == "invalid_json"


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json",
        "text/plain",
        "text/plain;charset=UTF-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "nonsense",
        "",
    ],
)
def test_any_content_type_is_read_as_json(content_type):
    body = '{"site_id": "shop", "messages": []}'

    response = Browser().post("/people/visit/", body.encode(), content_type=content_type)

    assert (response.status_code, response.content) == (200, b'{"success":true}')


class Lost:
    """The body of a client that went away."""

    def read(self, *args):
        raise OSError

    readline = read


def test_a_body_that_did_not_arrive_is_no_error_of_the_server():
    lost: Any = {"wsgi.input": Lost(), "CONTENT_LENGTH": "100"}

    response = Browser().generic("POST", "/people/visit/", b"", "text/plain", **lost)

    assert response.status_code == 400
    assert response.json()["error"]["code"] == "unreadable"


def test_a_body_that_a_middleware_has_read_is_read_again(settings):
    settings.MIDDLEWARE = [f"{__name__}.ReadsEverything", *settings.MIDDLEWARE]

    for content_type in ("text/plain", "application/x-www-form-urlencoded"):
        response = Browser().post(
            "/people/visit/", b'{"site_id": "shop", "messages": []}', content_type=content_type
        )

        assert response.content == b'{"success":true}'


class ReadsEverything:
    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        assert isinstance(request.body, bytes)
        assert request.POST is not None
        return self.get_response(request)


@pytest.mark.django_db(transaction=True)
def test_a_site_of_atomic_requests_does_not_wrap_it(monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "ATOMIC_REQUESTS", True)

    with CaptureQueriesContext(connection) as queries:
        Browser().send(track(anonymous_id="a-1"))

    assert Activity.objects.count() == 1
    assert not [query for query in queries.captured_queries if "SAVEPOINT" in query["sql"]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("session", [False, True])
def test_a_database_that_fails_is_503_and_says_when_to_come_again(
    session, caplog, django_user_model
):
    browser = Browser()
    if session:
        browser.force_login(django_user_model.objects.create(username="ada"))
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE identity_tracking_activity RENAME TO elsewhere")
    try:
        response = browser.send(identify("42"))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO identity_tracking_activity")

    assert response.status_code == 503
    assert response["Retry-After"] == "5"
    assert response.json()["error"]["code"] == "unavailable"
    assert caplog.records[0].levelno == logging.ERROR
    assert not Activity.objects.filter(type="identify", trusted=False).exists()
