"""Sources beside the settings': what their keys are good for, on every API."""

from __future__ import annotations

import base64
import json
import time

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from identity_tracking import signatures
from identity_tracking.api.replay import Replay, replay
from identity_tracking.identifiers import names
from identity_tracking.models import Activity, FailedEvent, Person, SecretKey
from identity_tracking.sources import FRESH, make_key, revoke
from tests.factories import SourceFactory
from tests.web import ENDPOINT, Browser, configure, identify, said, track

pytestmark = pytest.mark.django_db

PAGE = "https://blog.example"
TRACK = "/people/api/v1/events"
SEGMENT = "/people/v1/track"
EVENT = {"name": "a", "event": "a", "anonymous_id": "x", "anonymousId": "x"}


@pytest.fixture
def blog():
    return SourceFactory(site_id="blog", allowed_origins=PAGE)


@pytest.fixture
def key(blog):
    return make_key(blog)


def basic(*parts):
    return "Basic " + base64.b64encode(":".join(parts).encode()).decode()


def send(path, *credentials, query="", headers=(), **body):
    """Post an event, or what else ``body`` is to say; return the answer."""
    given = {**dict(headers), **({"authorization": basic(*credentials)} if credentials else {})}
    data = json.dumps({**EVENT, **body})
    return Client(headers=given).post(f"{path}{query}", data, content_type="application/json")


def code_of(answer):
    body = answer.json()
    return body["meta"]["code"] if "meta" in body else body["error"]["code"]


def test_each_api_takes_the_keys_of_a_source(blog, key):
    assert send(TRACK, "blog", key).status_code == 200
    assert send(SEGMENT, key).status_code == send(SEGMENT, "blog").status_code == 200
    assert Browser().send(said(anonymous_id="x"), site_id="blog").status_code == 200

    kept = Activity.objects.order_by("received_at").values_list("source", "trusted")
    assert list(kept) == [("blog", True), ("blog", True), ("blog", False), ("blog", False)]


@pytest.mark.case("AUTH-05")
@pytest.mark.parametrize(
    "credentials",
    [
        ("shop", "KEY"),
        ("blog", "test-key"),
        ("blog", ""),
        ("KEY", "KEY"),
        ("KEY",),
        ("other", "KEY"),
    ],
    ids=":".join,
)
def test_a_key_and_a_site_id_belong_together(key, credentials):
    answer = send(TRACK, *(part.replace("KEY", key) for part in credentials))

    assert (answer.status_code, code_of(answer)) == (401, "unknown_source")


@pytest.mark.case("AUTH-07")
def test_a_secret_key_is_taken_in_the_header_alone(key):
    answers = [
        send(SEGMENT, query=f"?writeKey={key}"),
        send(SEGMENT, writeKey=key),
        send(SEGMENT, query="?writeKey=test-key"),
        Browser().send(said(anonymous_id="x"), site_id=key),
        Client().get(f"/people/v1/projects/{key}/settings"),
    ]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 404]
    assert not Activity.objects.exists()


@pytest.mark.case("ORIG-07")
@pytest.mark.parametrize("path", [TRACK, SEGMENT])
def test_a_secret_key_in_a_page_is_refused_and_told(path, key, caplog):
    credentials = ("blog", key) if path == TRACK else (key,)

    answer = send(path, *credentials, headers={"origin": PAGE})

    assert (answer.status_code, code_of(answer)) == (403, "secret_in_browser")
    assert f"key {SecretKey.objects.get().pk} of blog" in caplog.text
    assert key not in caplog.text


@pytest.mark.case("AUTH-06")
@pytest.mark.parametrize("path", [TRACK, SEGMENT])
def test_a_revoked_key_is_refused_within_a_second(path, key, monkeypatch):
    credentials = ("blog", key) if path == TRACK else (key,)
    assert send(path, *credentials).status_code == 200

    revoke(SecretKey.objects.get())
    later = time.monotonic() + FRESH
    monkeypatch.setattr(time, "monotonic", lambda: later)

    assert send(path, *credentials).status_code == 401


def test_in_the_steady_state_a_source_costs_no_query_more(key):
    def queries(*credentials):
        with CaptureQueriesContext(connection) as captured:
            assert send(SEGMENT, *credentials).status_code == 200
        return len(captured)

    queries(key)

    assert queries(key) == queries("blog") == queries("test-key")


@pytest.mark.django_db(transaction=True)
def test_trouble_at_the_look_up_is_503_and_leaves_the_settings_source_alone(key):
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE identity_tracking_source RENAME TO elsewhere")
    try:
        answers = [
            send(TRACK, "blog", key),
            send(SEGMENT, key),
            Browser().send(said(anonymous_id="x"), site_id="blog"),
        ]
        others = [send(TRACK, "shop", "test-key"), send(SEGMENT, "shop")]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO identity_tracking_source")

    assert [answer.status_code for answer in answers] == [503] * 3
    assert all(int(answer["Retry-After"]) > 0 for answer in answers)
    assert [answer.status_code for answer in others] == [200, 200]


def test_the_use_of_a_key_is_noted(key):
    send(TRACK, "blog", key)

    assert SecretKey.objects.get().last_used_at


@pytest.mark.case("AUTH-05")
def test_all_sources_know_the_same_people_and_no_others_messages(key):
    for credentials in (("test-key",), (key,)):
        send(SEGMENT, *credentials, userId="42", messageId="m-1")
        send(SEGMENT, *credentials, userId="42", messageId="m-1")

    assert sorted(Activity.objects.values_list("source", flat=True)) == ["blog", "shop"]
    assert Person.objects.get().activities.count() == 2


@pytest.mark.usefixtures("blog")
def test_a_failed_event_keeps_its_source_and_is_tried_again_as_its(key):
    send(SEGMENT, key, event="")
    send(TRACK, "blog", key, name="")
    Browser().send(track("", anonymous_id="x"), site_id="blog")

    failed = FailedEvent.objects.order_by("pk")
    assert {event.source for event in failed} == {"blog"}
    FailedEvent.objects.filter(entrance="script").update(
        payload=json.dumps(track(anonymous_id="x"))
    )
    outcomes = [replay(event) for event in failed.filter(entrance="script")]
    assert outcomes == [Replay.ACCEPTED]
    assert Activity.objects.get().source == "blog"


def test_pages_of_a_sources_origin_may_post_for_it_alone(blog):
    def status(site_id):
        browser = Browser(headers={"origin": PAGE, "sec-fetch-site": "cross-site"})
        answer = browser.send(said(anonymous_id="x"), site_id=site_id)
        return answer.status_code, answer.headers.get("Access-Control-Allow-Origin")

    SourceFactory(site_id="till")

    assert status("blog") == (200, PAGE)
    assert status("shop") == status("till") == (403, None)


@pytest.mark.parametrize("path", [ENDPOINT, SEGMENT])
def test_a_preflight_does_not_say_for_whom(path, blog):
    for origin, allowed in ((PAGE, PAGE), ("https://evil.example", None)):
        answer = Client(headers={"origin": origin}).options(path)

        assert answer.headers.get("Access-Control-Allow-Origin") == allowed


def test_a_client_in_a_page_is_told_where_to_send_for_its_source(blog):
    answer = Client(headers={"origin": PAGE}).get("/people/v1/projects/blog/settings")

    assert answer.json()["integrations"]["Segment.io"]["apiKey"] == "blog"
    assert answer["Access-Control-Allow-Origin"] == PAGE


def test_a_page_of_another_source_proves_nothing_by_a_signature(blog, settings):
    configure(settings, ALLOWED_ORIGINS=[PAGE])
    signature = signatures.sign(names(id="42"))

    for site_id in ("blog", "shop"):
        Browser().send(identify("42", anonymous_id="x"), site_id=f"{site_id}:{signature}")

    assert set(Activity.objects.values_list("source", "trusted")) == {
        ("blog", False),
        ("shop", True),
    }
