"""Who is nobody, or somebody else, says it is the victim: by the public key, or with no key."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client

from identity_tracking import shortcuts
from identity_tracking.models import Activity, Person, Suppression
from tests.attacks.entrances import ENTRANCES, PUBLIC, SECRET, basic, is_taken
from tests.web import FIREFOX, Browser, configure, identify, track

pytestmark = pytest.mark.django_db

SCRIPT, SEGMENT, PAGE = (ENTRANCES[name] for name in ("script", "segment", "segment-page"))
public_entrances = pytest.mark.parametrize("entrance", [SCRIPT, PAGE], ids=["script", "page"])

API = "/people/api"
VICTIM = {"type": "person", "identifiers": {"id": "u-1"}}
DEEDS: list[tuple[str, str, dict[str, object]]] = [
    ("POST", "/v1/merge_customers", {"primary": {"id": "u-2"}, "secondary": {"id": "u-1"}}),
    ("DELETE", "/v1/customers/u-1", {}),
    ("POST", "/v1/customers/u-1/suppress", {}),
    ("POST", "/v1/customers/u-1/unsuppress", {}),
    ("POST", "/v2/entity", {**VICTIM, "action": "suppress"}),
    ("POST", "/v2/batch", {"batch": [{**VICTIM, "action": "delete"}]}),
]
NO_KEYS = ["", *map(basic, (PUBLIC, f"{PUBLIC}:", f"{PUBLIC}:{PUBLIC}", f":{SECRET}", SECRET))]
MEANT = ("User Deleted", "User Suppressed", "Object Deleted", "Device Deleted")


@pytest.fixture(autouse=True)
def victim(settings):
    """Somebody whom the site knows, and Bob."""
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    shortcuts.identify(None, id="u-2", email="bob@shop.test")
    return shortcuts.identify(None, id="u-1", email="victim@shop.test", plan="gold")


def known():
    """Return everything that the site is sure of."""
    people = {
        one.user_id: (one.email, one.attributes, one.root_id) for one in Person.objects.identified()
    }
    return {**people, "suppressed": Suppression.objects.count()}


@pytest.mark.case("SPOOF-06", "SPOOF-07", "ORIG-06", "AUTH-07")
@pytest.mark.parametrize("key", NO_KEYS)
def test_without_a_secret_key_nobody_is_merged_deleted_or_suppressed(key, admin_client):
    before = known()
    stranger = Client(headers={"authorization": key} if key else {})
    elsewhere = {"writeKey": SECRET, "api_key": SECRET}

    for method, path, body in DEEDS:
        for client in (stranger, admin_client):
            address = f"{API}{path}?{urlencode(elsewhere)}"
            answer = client.generic(method, address, json.dumps({**body, **elsewhere}))
            assert answer.status_code == 401

    assert known() == before


@pytest.mark.case("SPOOF-07")
@public_entrances
@pytest.mark.parametrize("name", MEANT)
def test_an_event_that_is_called_a_deed_does_nothing_by_the_public_key(entrance, name):
    before = known()

    answer = entrance.post(entrance.event(name=json.dumps(name), id='"u-1"'))

    assert is_taken(answer)
    assert known() == before
    assert Activity.objects.filter(name=name).get().trusted is False


@pytest.mark.case("SPOOF-01")
@pytest.mark.parametrize(
    "call",
    [
        {"type": "identify", "userId": "u-1"},
        {"type": "identify", "userId": "victim@shop.test"},
        {"type": "identify", "traits": {"email": "victim@shop.test"}},
        {"type": "identify", "userId": "u-2", "traits": {"email": "victim@shop.test"}},
        {"type": "alias", "userId": "u-2", "previousId": "u-1"},
        {"type": "group", "userId": "u-1", "groupId": "acme"},
    ],
    ids=itertools.count(),
)
def test_no_call_by_the_public_key_changes_or_joins_anybody(call, victim):
    before = known()
    told = {**call, "anonymousId": "a-1", "traits": {"plan": "free", **call.get("traits", {})}}

    PAGE.post(json.dumps({"batch": [told, told]}))

    after = {**before, "u-2": known()["u-2"]} if call.get("userId") == "u-2" else before
    assert known() == after
    assert Person.objects.find(email="victim@shop.test") == victim != Person.objects.find(id="u-2")


@pytest.mark.case("AUTH-04")
@pytest.mark.parametrize("kind", ["identify", "track", "page", "alias", "group"])
def test_a_page_reads_the_same_of_who_is_known_and_who_is_not(kind):
    fields = {"previousId": "a-9", "event": "x", "groupId": "g", "anonymousId": "a-9"}

    answers = [
        PAGE.post(json.dumps({"batch": [{"type": kind, **fields, "userId": id}]}))
        for id in ("u-1", "nobody-at-all")
    ]

    assert answers[0].content == answers[1].content == b'{"success":true}'
    assert dict(answers[0].headers) == dict(answers[1].headers)
    assert not answers[0].cookies


@pytest.mark.case("SPOOF-15")
@pytest.mark.parametrize(
    ("email", "is_theirs"),
    [
        ("VICTIM@SHOP.TEST", True),
        (" victim@shop.test ", True),
        ("victim@shop.test\u200b", False),
        ("v\u0131ctim@shop.test", False),
        ("victim@\u0455hop.test", False),
        ("victim+a@shop.test", False),
        ("\ufb01@shop.test", False),
        ("victim@shop.te\u017ft", False),
        ("v\u0130ctim@shop.test", False),
    ],
    ids=ascii,
)
def test_an_email_is_the_same_in_capitals_and_in_no_other_disguise(email, is_theirs, victim):
    call = {"type": "identify", "traits": {"email": email, "plan": "free"}}

    assert is_taken(SEGMENT.post(json.dumps({"batch": [call]}), path="/people/v1/batch"))

    assert (Person.objects.find(email=email) == victim) is is_theirs
    assert Person.objects.find(id="u-1") == victim


@pytest.mark.case("SPOOF-16")
def test_a_message_id_that_a_page_used_first_is_free_for_the_server(victim):
    genuine = {"userId": "u-1", "event": "Order Completed", "messageId": "order-1001"}
    Browser().send(track("fake", anonymous_id="a-1", message_id="order-1001"))
    PAGE.post(PAGE.event(messageId='"order-1001"'))

    SEGMENT.post(json.dumps(genuine))

    assert victim.activities.filter(name="Order Completed").count() == 1


@pytest.mark.case("SPOOF-18")
@public_entrances
@pytest.mark.parametrize(
    "time",
    [
        '"1970-01-01T00:00:00Z"',
        '"9999-12-31T23:59:59Z"',
        '"9999-12-31T23:59:59-23:59"',
        '"2026-13-45"',
        '"1e400"',
        "1e400",
        "-1",
        "100000000000000000000",
        '"0000-00-00T00:00:00Z"',
        "1700000000000",
    ],
)
def test_a_page_says_nothing_of_the_future_nor_of_the_far_past(entrance, time):
    began = datetime.now(UTC)

    answer = entrance.post(entrance.event(time=time))

    assert answer.status_code in {200, 400}
    for activity in Activity.objects.filter(name="x"):
        assert began - timedelta(days=2) <= activity.timestamp <= datetime.now(UTC)
        assert began <= activity.received_at <= datetime.now(UTC)


@pytest.mark.case("SPOOF-19", "SPOOF-20")
@public_entrances
def test_address_browser_and_hour_are_what_the_server_saw(entrance):
    event = entrance.event(
        context='{"ip": "8.8.8.8", "userAgent": "forged", "locale": "de"}',
        ip='"8.8.8.8"',
        receivedAt='"2001-01-01T00:00:00Z"',
    )
    began = datetime.now(UTC)

    entrance.post(event, **{"x-forwarded-for": "1.2.3.4", "x-real-ip": "9.9.9.9"})

    activity = Activity.objects.get(name="x")
    assert (activity.context["ip"], activity.context["user_agent"]) == ("127.0.0.0", FIREFOX)
    assert activity.received_at >= began


@pytest.mark.case("COOK-11")
def test_an_id_adds_no_header(victim):
    browser = Browser()

    answer = browser.send(identify("x\r\nSet-Cookie: sessionid=evil", anonymous_id="a-1"))

    assert answer.status_code == 400
    assert "sessionid" not in answer.cookies


@pytest.mark.case("DOS-05")
@public_entrances
def test_a_stranger_says_only_so_often_at_once_who_somebody_is(entrance):
    def said(times):
        calls = [{"type": "identify", "id": f"n-{n}", "userId": f"n-{n}"} for n in range(times)]
        return json.dumps({"site_id": "shop", "messages": calls, "batch": calls})

    before = known()

    assert entrance.post(said(101)).status_code == 413
    assert known() == before
    assert is_taken(entrance.post(said(3)))
    assert Person.objects.find(id="n-2")


@pytest.mark.case("DOS-04")
def test_strangers_fill_no_person_with_more_than_so_many_attributes(victim):
    for start in range(0, 1_000, 250):
        names = [f"k{number:04}" for number in range(start, start + 250)]
        Browser().send(identify("u-1", data=dict.fromkeys(names, 1)))

    victim.refresh_from_db()
    assert len(victim.attributes) <= 301
    assert victim.attributes["plan"] == "gold"
