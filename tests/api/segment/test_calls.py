"""Segment's HTTP API, as its clients call it."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from identity_tracking.models import Activity, FailedEvent, Person, TrackedObject
from tests.web import FIREFOX, configure

pytestmark = pytest.mark.django_db

SECRET, PUBLIC = "test-key", "shop"
PAGE = {"headers": {"origin": "http://testserver", "user-agent": FIREFOX}}
LONG_AGO = "2026-01-01T00:00:00.000Z"


def basic(key):
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


@pytest.fixture
def call():
    """Post a call, or a list of them as a batch; return its status and answer."""

    def do(path, body, key=SECRET, **options):
        client = Client(headers={"authorization": basic(key)} if key else {})
        body = {"batch": body} if isinstance(body, list) else body
        answer = client.post(
            f"/people/v1/{path}", json.dumps(body), content_type="text/plain", **options
        )
        return answer.status_code, answer.json()

    return do


def find(**who):
    return Person.objects.find(**who)


def test_an_identify_names_somebody_and_sets_their_traits(call):
    traits = {"email": "Ada@example.com", "firstName": "Ada", "last_name": "L", "plan": None}
    body = {"userId": "42", "anonymousId": "x", "traits": {**traits, "createdAt": 1704153600}}

    assert call("identify", body) == (200, {"success": True})

    person = find(id="42")
    assert person == find(email="ada@example.com") == find(anonymous_id="x")
    assert person.attributes == {"first_name": "Ada", "last_name": "L"}
    assert person.created_at == datetime(2024, 1, 2, tzinfo=UTC)


def test_traits_may_stand_in_the_context(call):
    call("i", {"userId": "42", "context": {"traits": {"email": "a@example.com", "plan": "x"}}})

    assert find(email="a@example.com").attributes == {"plan": "x"}


def test_a_user_id_that_is_an_email_is_one(call):
    call("identify", {"userId": "a@example.com", "traits": {"plan": "x"}})

    assert find(email="a@example.com").user_id is None


def test_a_track_keeps_its_properties_and_where_it_was(call):
    body = {
        "userId": "42",
        "event": "Order Completed",
        "properties": {"revenue": 12.5},
        "timestamp": LONG_AGO,
        "context": {
            "ip": "203.0.113.7",
            "userAgent": "UA/1.0",
            "library": {"name": "analytics-python"},
            "campaign": {"source": "mail", "odd": "x"},
            "page": {"url": "https://shop.example/a?token=secret&utm_source=mail"},
        },
    }

    call("track", body)

    (activity,) = find(id="42").activities
    assert (activity.name, activity.properties) == ("Order Completed", {"revenue": 12.5})
    assert activity.timestamp == datetime(2026, 1, 1, tzinfo=UTC)
    assert activity.context == {
        "ip": "203.0.0.0",
        "user_agent": "UA/1.0",
        "library": "analytics-python",
        "campaign": {"source": "mail"},
        "page": {"url": "https://shop.example/a?utm_source=mail", "path": "/a"},
    }


@pytest.mark.parametrize("path", ["page", "p", "page/"])
def test_a_page_keeps_no_private_part_of_its_address(call, path):
    properties = {
        "url": "https://shop.example/docs?token=secret",
        "path": "/docs",
        "search": "?token=secret",
        "title": "Docs",
        "custom": 1,
    }

    call(path, {"anonymousId": "x", "properties": properties})

    activity = Activity.objects.get()
    assert (activity.type, activity.name, activity.properties) == ("page", "/docs", {"custom": 1})
    assert activity.context["page"] == {
        "url": "https://shop.example/docs",
        "path": "/docs",
        "title": "Docs",
    }


def test_a_screen_is_a_view_of_it(call):
    call("screen", {"userId": "42", "name": "Checkout", "properties": {"step": 1}})

    (activity,) = find(id="42").activities
    assert (activity.type, activity.name) == ("page", "Checkout")
    assert (activity.properties, activity.context) == (
        {"step": 1},
        {"screen": {"name": "Checkout"}},
    )


def test_a_group_relates_somebody_to_it(call):
    call("group", {"userId": "42", "groupId": "initech", "traits": {"name": "Initech"}})
    traits = {"objectTypeId": "course", "seats": 4, "relationshipAttributes": {"role": "boss"}}
    call("g", {"userId": "42", "groupId": 7, "traits": traits})

    held = {(one.object.object_type, one.object.object_id) for one in find(id="42").relationships}
    assert held == {("1", "initech"), ("course", "7")}
    assert find(id="42").activities.last().properties["name"] == "Initech"
    course = find(id="42").relationships.get(object__object_type="course")
    assert (course.attributes, course.object.attributes) == ({"role": "boss"}, {"seats": 4})


def test_what_a_page_says_of_a_group_is_a_claim(call):
    group = {"userId": "42", "groupId": "initech"}
    call("group", {**group, "traits": {"plan": "pro"}})
    call("group", {**group, "traits": {"plan": "free", "city": "Bern"}}, key=PUBLIC, **PAGE)

    assert TrackedObject.objects.get().attributes == {"plan": "pro", "city": "Bern"}


def test_an_alias_claims_what_was_anonymous(call):
    call("track", {"anonymousId": "x", "event": "viewed"})
    call("alias", {"userId": "42", "previousId": "x"})
    call("alias", {"userId": "42", "previousId": "42"})

    assert [activity.type for activity in find(id="42").activities] == ["alias", "track"]


def test_a_batch_is_kept_in_one_and_its_bad_calls_are_told(call):
    status, answer = call(
        "batch",
        [
            {"type": "identify", "userId": "42", "traits": {"plan": "x"}},
            {"type": "track", "userId": "42"},
            {"type": "fly", "userId": "42"},
            "nothing",
            {"type": "track", "userId": None, "anonymousId": "", "event": "a"},
            {"type": "track", "userId": "42", "event": "a", "properties": []},
            {"type": "track", "userId": "42", "event": "a", "timestamp": "soon"},
            {"type": "track", "userId": "42", "event": "a", "messageId": "x" * 101},
            {"type": "alias", "userId": "42"},
            {"type": "track", "userId": "42", "event": "bought"},
        ],
    )

    assert (status, answer["success"]) == (200, True)
    assert [(one["index"], one["code"]) for one in answer["errors"]] == [
        (1, "name_missing"),
        (2, "unknown_type"),
        (3, "invalid_message"),
        (4, "no_identifier"),
        (5, "not_an_object"),
        (6, "invalid_timestamp"),
        (7, "message_id_too_long"),
        (8, "no_identifier"),
    ]
    assert find(id="42").activities.count() == 2
    assert sorted(FailedEvent.objects.values_list("code", flat=True)) == sorted(
        one["code"] for one in answer["errors"]
    )


@pytest.mark.parametrize("path", ["b", "import", "batch/"])
def test_a_batch_has_other_paths(call, path):
    assert call(path, [{"type": "track", "userId": "42", "event": "a"}])[0] == 200

    assert find(id="42").activities.count() == 1


def test_a_message_is_kept_once(call):
    for _ in range(2):
        call("track", {"userId": "42", "event": "a", "messageId": "m-1"})

    assert Activity.objects.count() == 1


def test_a_zipped_body_is_read(call):
    body = gzip.compress(json.dumps({"userId": "42", "event": "a"}).encode())

    Client().post(
        "/people/v1/track?writeKey=shop",
        body,
        content_type="application/x-www-form-urlencoded",
        headers={"content-encoding": "gzip"},
    )

    assert find(id="42") is not None


@pytest.mark.parametrize(
    ("authorization", "query", "in_body", "trusted"),
    [
        ("Bearer test-key", "", {}, True),
        ("Basic dGVzdC1rZXk=", "", {}, True),
        ("Bearer shop", "", {}, False),
        ("", "?writeKey=shop", {}, False),
        ("", "", {"writeKey": "shop"}, False),
    ],
)
def test_the_key_may_stand_in_several_places(authorization, query, in_body, trusted):
    client = Client(headers={"authorization": authorization} if authorization else {})
    body = {"userId": "42", "event": "a", **in_body}

    answer = client.post(f"/people/v1/track{query}", body, content_type="application/json")

    assert answer.status_code == 200
    assert Activity.objects.get().trusted is trusted


@pytest.mark.case("AUTH-07")
@pytest.mark.parametrize(
    ("query", "in_body"), [("?writeKey=test-key", {}), ("", {"writeKey": "test-key"})]
)
def test_the_secret_key_stands_in_the_header_alone(query, in_body):
    body = {"userId": "42", "event": "a", **in_body}

    answer = Client().post(f"/people/v1/track{query}", body, content_type="application/json")

    assert (answer.status_code, Activity.objects.count()) == (401, 0)


@pytest.mark.case("ORIG-06")
def test_the_session_of_a_user_is_no_key(admin_client):
    body = {"userId": "42", "event": "a"}

    assert admin_client.post("/people/v1/track", body, "application/json").status_code == 401


@pytest.mark.parametrize("key", ["", "other", None, "ä"])
def test_without_a_key_nothing_is_kept(call, key):
    status, answer = call("track", {"userId": "42", "event": "a"}, key)

    assert (status, answer["error"]["code"]) == (401, "unknown_source")
    assert not Activity.objects.exists()


@pytest.mark.case("SPOOF-01")
def test_the_public_key_is_believed_no_more_than_a_browser(call):
    call("identify", {"userId": "42", "traits": {"plan": "pro"}})
    call("identify", {"userId": "42", "traits": {"plan": "free"}}, PUBLIC)

    assert find(id="42").attributes == {"plan": "pro"}
    assert find(id="42").claimed["plan"]["value"] == "free"


@pytest.mark.case("ORIG-01", "ORIG-07")
def test_a_page_of_the_site_may_post_with_the_public_key_alone(call, caplog):
    body = {"anonymousId": "x", "event": "a"}

    assert call("track", body, PUBLIC, **PAGE)[0] == 200
    assert call("track", body, SECRET, **PAGE)[1]["error"]["code"] == "secret_in_browser"
    assert "secret API_KEY" in caplog.text
    elsewhere = {"headers": {"origin": "https://evil.example", "user-agent": FIREFOX}}
    status, answer = call("track", body, PUBLIC, **elsewhere)
    assert (status, answer["error"]["code"]) == (403, "origin_not_allowed")


def test_a_browser_that_objects_is_not_followed(call):
    objecting = {"headers": {**PAGE["headers"], "sec-gpc": "1"}}

    assert call("track", {"anonymousId": "x", "event": "a"}, PUBLIC, **objecting)[0] == 200
    assert not Activity.objects.exists()


def test_a_page_of_an_allowed_origin_is_told_what_it_may_send(settings):
    configure(settings, ALLOWED_ORIGINS=["https://a.example"])

    answer = Client().options("/people/v1/t", headers={"origin": "https://a.example"})

    assert answer.status_code == 204
    assert answer["Access-Control-Allow-Origin"] == "https://a.example"
    assert "x-retry-count" in answer["Access-Control-Allow-Headers"]


def test_what_is_retried_is_its_browsers_and_not_of_who_came_since(call):
    body = {"userId": "B", "anonymousId": "x", "event": "a", "messageId": "m-1"}
    retried = {"headers": {**PAGE["headers"], "x-retry-count": "2"}}

    call("track", body, PUBLIC, **retried)

    assert Activity.objects.get().identifier.value == "x"
    assert find(id="B") is None


@pytest.mark.parametrize(("seconds", "whose"), [(0.4, "b"), (0.5, "a")])
def test_what_a_script_sends_late_is_its_browsers_though_no_header_says_so(call, seconds, whose):
    call("identify", {"userId": "a", "anonymousId": "x"}, PUBLIC, **PAGE)
    now = datetime.now(UTC)
    times = {"timestamp": (now - timedelta(seconds=seconds)).isoformat(), "sentAt": now.isoformat()}
    script = {"library": {"name": "analytics.js", "version": "npm:next-0.5.11"}}
    body = {"userId": "b", "anonymousId": "x", "event": "looked", "context": script, **times}

    call("track", body, PUBLIC, **PAGE)

    assert Activity.objects.get(name="looked").person == find(id=whose)


def test_what_a_server_retries_stays_who_it_is(call):
    body = {"userId": "B", "anonymousId": "x", "event": "a", "messageId": "m-1"}

    call("track", body, headers={"x-retry-count": "2"})

    assert Activity.objects.get().identifier.value == "B"


@pytest.mark.parametrize(("wrong_by", "corrected"), [(0, False), (30, False), (3_600, True)])
def test_a_clock_that_is_wrong_is_corrected(call, wrong_by, corrected):
    now = datetime.now(UTC)
    made, sent = now - timedelta(hours=2, seconds=wrong_by), now - timedelta(seconds=wrong_by)
    body = {"userId": "42", "event": "a", "originalTimestamp": made.isoformat()}

    call("track", {**body, "sentAt": sent.isoformat()})

    ago = datetime.now(UTC) - Activity.objects.get().timestamp
    wanted = timedelta(hours=2) if corrected else timedelta(hours=2, seconds=wrong_by)
    assert abs(ago - wanted) < timedelta(seconds=20)


def test_a_client_in_a_page_is_told_where_to_send():
    answer = Client().get("/people/v1/projects/shop/settings")

    there = {"apiKey": "shop", "apiHost": "testserver/people/v1", "protocol": "http"}
    assert answer.json()["integrations"]["Segment.io"] == there
    assert Client().get("/people/v1/projects/other/settings").status_code == 404


@pytest.mark.parametrize("body", ["{", "[]", '"a"', '{"batch": {}}'])
def test_a_body_that_cannot_be_read_is_refused(body):
    answer = Client(headers={"authorization": basic(SECRET)}).post(
        "/people/v1/batch", body, content_type="application/json"
    )

    assert (answer.status_code, answer.json()["success"]) == (400, False)


def test_where_the_app_is_off_nothing_is_kept(call, settings):
    configure(settings, ENABLED=False)

    assert call("track", {"userId": "42", "event": "a"})[0] == 200
    assert not Activity.objects.exists()
