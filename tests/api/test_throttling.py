from __future__ import annotations

import base64
import json

import pytest
import time_machine
from django.core.cache.backends.base import BaseCache
from django.test import Client

from identity_tracking.api.throttling import network_of
from identity_tracking.models import Activity
from tests.web import Browser, configure, said

pytestmark = pytest.mark.django_db

KEY = "Basic " + base64.b64encode(b"shop:test-key").decode()
EVENT = json.dumps({"name": "a", "event": "a", "anonymous_id": "x", "anonymousId": "x"})
ENTITY = {
    "type": "person",
    "action": "event",
    "identifiers": {"id": "42"},
    "name": "a",
    "batch": [],
    "primary": {"id": "1"},
    "secondary": {"id": "2"},
}


@pytest.fixture
def limit(settings):
    """Allow so many calls a minute, at a moment that stands still."""

    def do(**rates):
        given = {"THROTTLE_ADDRESS": None, "TRUSTED_PROXIES": 1, **rates}
        configure(settings, **given)

    with time_machine.travel("2026-11-22T12:00:00Z", tick=False) as moment:
        do.later = moment.shift  # type: ignore[attr-defined]
        yield do


def post(path, body=EVENT, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Client(headers=headers).post(path, body, content_type="application/json")


def by_script(address="198.51.100.1"):
    return Browser(headers={"x-forwarded-for": address}).send(said(anonymous_id="x"))


@pytest.mark.case("DOS-01", "DOS-05")
@pytest.mark.parametrize(
    ("path", "credentials", "shape"),
    [
        ("/people/visit/", "", {"success", "error"}),
        ("/people/v1/track", "Bearer shop", {"success", "error"}),
        ("/people/v1/batch", "Bearer test-key", {"success", "error"}),
        ("/people/api/v1/events", KEY, {"meta"}),
        ("/people/api/v1/merge_customers", KEY, {"meta"}),
        ("/people/api/v2/entity", KEY, {"errors"}),
        ("/people/api/v2/batch", KEY, {"errors"}),
    ],
)
def test_each_api_says_in_its_own_way_when_to_come_again(limit, path, credentials, shape):
    limit(THROTTLE_SOURCE="1/min")
    body = json.dumps({"site_id": "shop", "messages": [], **json.loads(EVENT), **ENTITY})
    headers = {"authorization": credentials} if credentials else {}

    answers = [post(path, body, **headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 429]
    assert set(answers[1].json()) == shape
    assert "throttled" in answers[1].content.decode()
    assert 0 < int(answers[1]["Retry-After"]) <= 60


def test_who_waits_as_told_may_come_again(limit):
    limit(THROTTLE_ADDRESS="1/min")
    by_script()

    limit.later(int(by_script()["Retry-After"]))

    assert by_script().status_code == 200
    assert Activity.objects.count() == 2


@pytest.mark.case("DOS-01")
def test_an_address_is_counted_on_its_own(limit):
    limit(THROTTLE_ADDRESS="1/min")

    statuses = [by_script(f"198.51.100.{n}").status_code for n in (1, 2, 1)]

    assert statuses == [200, 200, 429]


def test_a_servers_calls_are_not_counted_by_address(limit):
    limit(THROTTLE_ADDRESS="1/min")

    answers = [post("/people/v1/track", authorization="Bearer test-key") for _ in range(3)]

    assert {answer.status_code for answer in answers} == {200}


def test_where_proxies_are_not_known_nobody_is_refused_for_another(limit):
    limit(THROTTLE_ADDRESS="1/min", TRUSTED_PROXIES=None)

    assert {by_script().status_code for _ in range(3)} == {200}


def test_preflights_are_not_counted(limit):
    limit(THROTTLE_ADDRESS="1/min", THROTTLE_SOURCE="1/min")

    statuses = {Client().options("/people/visit/").status_code for _ in range(3)}

    assert statuses == {204}
    assert by_script().status_code == 200


class Away(BaseCache):
    """A cache that cannot be reached."""

    def __init__(self, location, params):
        super().__init__(params)

    def incr(self, *args, **options):
        raise ConnectionError

    def clear(self):
        """Forget nothing: there is nothing."""


@pytest.mark.parametrize(
    "backend", ["dummy.DummyCache", "filebased.FileBasedCache", "locmem.LocMemCache"]
)
def test_any_cache_will_do(limit, settings, backend, tmp_path):
    settings.CACHES = {
        "default": {"BACKEND": f"django.core.cache.backends.{backend}", "LOCATION": str(tmp_path)}
    }
    limit(THROTTLE_ADDRESS="2/min")

    statuses = [by_script().status_code for _ in range(3)]

    assert statuses == [200, 200, 200 if backend.startswith("dummy") else 429]


def test_a_cache_that_fails_fails_no_call(limit, settings, caplog):
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.Away"}}
    limit(THROTTLE_ADDRESS="1/min")

    assert {by_script().status_code for _ in range(2)} == {200}
    assert "The cache failed" in caplog.text


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:443", ""),
        ("unix:", ""),
        ("", ""),
    ],
)
def test_a_network_of_one_host_is_counted_as_one(address, network):
    assert network_of(address) == network
