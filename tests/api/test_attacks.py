from __future__ import annotations

import itertools
import json
import time

import pytest
import time_machine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity_tracking import shortcuts, signatures
from identity_tracking.identifiers import names
from identity_tracking.models import Activity, FailedEvent, Person
from tests.web import ENDPOINT, Browser, configure, identify, said, track

pytestmark = pytest.mark.django_db


def body(message):
    """Return the text of a request around the text of one message."""
    return '{"site_id": "shop", "messages": [' + message + "]}"


def event(properties="{}", name='"x"', **fields):
    more = "".join(f', "{field}": {value}' for field, value in fields.items())
    return body(
        f'{{"type": "track", "name": {name}, "anonymous_id": "a", "data": {properties}{more}}}'
    )


UNREADABLE = [
    "",
    " ",
    "1",
    "null",
    '"x"',
    "[]",
    "[[]]",
    "true",
    "{}",
    "{",
    '{"messages": [],}',
    "{'messages': []}",
    body("") + "//",
    body("") * 2,
    event('{"a": NaN}'),
    event('{"a": Infinity}'),
    event('{"a": -Infinity}'),
    event('{"a": ' + "9" * 5000 + "}"),
    "[" * 65_000 + "]" * 65_000,
    '{"a":' * 20_000,
    "&".join(f"a{n}=1" for n in range(10_000)),
    body("").encode("utf-16"),
    body("").encode("utf-32"),
    b"\xef\xbb\xbf" + body("").encode(),
    event(name='"\xc0\xaf"').encode("latin-1"),
    b"\xff\xfe\x00",
    b"\x00",
]

REFUSED = [
    event('{"a": ' + "[" * 50_000 + "]" * 50_000 + "}"),
    event('{"a": "x\\u0000y"}'),
    event('{"x\\u0000y": 1}'),
    event(name='"a\\u0000b"'),
    event('{"a": "\\ud800"}'),
    event('{"\\udfff": 1}'),
    event('{"a": 1e400}'),
    event('{"a": -1e400}'),
    event('{"a": ' + "9" * 400 + "}"),
    event('{"a":' * 17 + "1" + "}" * 17),
    event(json.dumps({"k" * 151: 1})),
    event(json.dumps({f"k{n}": n for n in range(5000)})),
    event(name="{}"),
    event(name="[]"),
    event(name="null"),
    event(name='"\\u200b"').replace("\\u200b", " "),
    event("[]"),
    event("1"),
    event(url='"\\u0000"'),
    event(title='"\\ud800"'),
    event(referrer="{}"),
    event(message_id="{}"),
    event(message_id='"' + "x" * 101 + '"'),
    event(time='"2026-13-45"'),
    event(time='"1e400"'),
    event(time="1e400"),
    event(time="true"),
    event(time="1e20"),
    event(time="-1e14"),
    event(time="9" * 400),
]

ACCEPTED = [
    event('{"a":' * 14 + "1" + "}" * 14),
    event('{"__proto__": 1, "constructor": {"prototype": 1}}'),
    event('{"a": 9223372036854775807, "b": -9223372036854775808, "c": 1e-400, "d": 0.1, "e": -0}'),
    event('{"emoji": "\\ud83d\\ude42", "rtl": "\\u202Egnp.exe", "ctl": "\\u0001\\u007f"}'),
    event(name='"a\\u202Egnp.exe\\r\\n2026-01-01 CRITICAL forged"'),
    event(id="1"),
    event(id="1.5"),
    event(id="true"),
    event(id="[]"),
    event(id="{}"),
    event(id="null"),
    event(id='{"$ne": null}'),
    event(id="-0"),
    event(id="1e400"),
    event(id="9" * 400),
    event(id='"\\u0000"'),
    event(id='"\\ud800"'),
    event(id=json.dumps("x" * 10_000)),
    event(email=json.dumps("a@" + "a." * 5000)),
    event(email=json.dumps("a" * 5000 + "@")),
    event(email="{}"),
    event(url=json.dumps("http://[::1")),
    event(url=json.dumps("javascript:alert(1)")),
    event(url=json.dumps("//evil.example/\\..//")),
    event(url=json.dumps("http://testserver/?" + "a=1&" * 20_000)),
    event(time="-1"),
    event(time="0"),
    event(time="253402300799999"),
    event(message_id="1"),
    event(userHash='""', trusted="true", verified="true", signature='"x"'),
    event(ip='"8.8.8.8"', context='{"ip": "8.8.8.8"}', received_at='"2001-01-01T00:00:00Z"'),
    body('{"type": "link", "cio_id": "\\u0000", "anonymous_id": "a"}'),
    body('{"type": "link", "cio_id": "\\ud800", "anonymous_id": "a"}'),
    body('{"type": "link", "cio_id": {"$ne": 1}, "anonymous_id": "a"}'),
    body('{"type": "link", "cio_id": 1e400, "anonymous_id": "a"}'),
    body('{"type": "link", "anonymous_id": "a"}'),
]

CLOCKS = ["0", "-62135596800000", "253402300799999", "1000000000", "1763719200000"]


def post(text):
    return Browser().post_text(text)


@pytest.mark.case("JSON-07", "JSON-16", "JSON-18", "JSON-20", "JSON-22", "JSON-33", "JSON-36")
@pytest.mark.parametrize("text", UNREADABLE, ids=itertools.count())
def test_what_is_no_strict_json_is_refused_whole(text):
    response = post(text)

    assert response.status_code in {400, 401}
    assert (Activity.objects.count(), FailedEvent.objects.count()) == (0, 0)


@pytest.mark.case(
    "JSON-01", "JSON-02", "JSON-03", "JSON-05", "JSON-09", "JSON-16", "JSON-25", "JSON-29"
)
@pytest.mark.parametrize("text", REFUSED, ids=itertools.count())
def test_what_no_database_could_keep_is_refused_and_kept_aside(text):
    response = post(text)

    assert response.status_code == 400
    assert (Activity.objects.count(), FailedEvent.objects.count()) == (0, 1)


@pytest.mark.case("JSON-13", "JSON-24", "JSON-34")
@pytest.mark.parametrize("text", ACCEPTED, ids=itertools.count())
def test_what_is_merely_odd_is_accepted(text):
    response = post(text)

    assert (response.status_code, response.content) == (200, b'{"success":true}')
    assert FailedEvent.objects.count() == 0


@pytest.mark.case("SPOOF-18")
@pytest.mark.parametrize(
    "moment", ["0", "-62135596800000", "253402300799999", "1e9", "1763719200000"]
)
@pytest.mark.parametrize("sent_at", ["0", "-62135596800000", "253402300799999", "1763719200000"])
def test_no_two_clocks_break_it(moment, sent_at):
    text = event(time=moment).replace('"messages"', f'"sent_at": {sent_at}, "messages"')

    assert post(text).status_code == 200


@pytest.mark.case("JSON-30")
def test_keys_are_kept_as_they_came():
    keys = {"a__b": 1, 'a"b': 2, "a'b": 3, "$set": 5, "a%b": 6, "?": 7, "": 8, "a` OR 1=1--": 9}

    Browser().send(track(anonymous_id="a", data=keys))

    assert Activity.objects.get().properties == keys
    assert Activity.objects.filter(properties__a__b=1).count() == 0


@pytest.mark.case("JSON-17")
def test_of_two_equal_keys_the_last_counts_for_check_and_store_alike():
    message = '{"type": "page", "id": "u-2", "id": "u-1"}'

    post(body(message).replace('"site_id"', '"site_id": "other", "site_id"'))

    assert Activity.objects.get().identifier.value == "u-1"


@pytest.mark.case("JSON-34")
def test_an_event_name_is_one_line():
    Browser().send(track("a\r\n[CRITICAL] forged", anonymous_id="a"))

    assert Activity.objects.get().name == "a [CRITICAL] forged"


@pytest.fixture
def warm():
    """A server that has answered before: what its first request loads is no stranger's doing."""
    browser = Browser()
    browser.get("/visitor/")
    browser.send(said(anonymous_id="warm"))


@pytest.mark.case("JSON-16")
def test_a_deep_body_costs_little(warm):
    began = time.process_time()
    for _ in range(20):
        post("[" * 65_000 + "]" * 65_000)

    assert (time.process_time() - began) / 20 < 0.1


@pytest.mark.case("DOS-09")
@pytest.mark.parametrize(
    "fields",
    [
        {"email": "a@" + "a." * 60_000},
        {"id": "a@" * 60_000},
        {"url": "http://" + "a@" * 60_000},
        {"url": "http://a/?" + "%" * 120_000},
        {"title": " " * 120_000},
        {"anonymous_id": "cio_" * 30_000},
    ],
    ids=itertools.count(),
)
def test_no_field_can_keep_a_server_busy(fields, warm):
    began = time.process_time()

    response = Browser().send(said(**{"anonymous_id": "a", **fields}))

    assert response.status_code in {200, 400}
    assert time.process_time() - began < 0.2


@pytest.mark.case("DOS-09")
def test_no_user_agent_can_keep_a_server_busy(warm):
    browser = Browser(headers={"user-agent": "bot" * 20_000 + "curlwge" * 20_000})
    began = time.process_time()

    browser.get("/visitor/")

    assert time.process_time() - began < 0.2


# Spoofing


@pytest.fixture
def victim():
    return shortcuts.identify(None, id="u-1", email="victim@example.com", plan="gold")


@pytest.mark.case("SPOOF-01")
@pytest.mark.parametrize("who", [{"email": "victim@example.com"}, {"id": "u-1"}])
def test_a_claim_changes_no_proven_attribute(victim, who):
    Browser().send(
        identify(anonymous_id="a-1", data={"plan": "free", "first_name": "Pwned"}, **who)
    )

    victim.refresh_from_db()
    assert victim.attributes["plan"] == "gold"


@pytest.mark.case("SPOOF-01")
def test_a_claim_joins_no_two_people(victim):
    Browser().send(identify("u-9", email="victim@example.com", anonymous_id="a-1"))

    assert Person.objects.find(email="victim@example.com") == victim
    assert Person.objects.find(id="u-9") != victim


@pytest.fixture
def attacker():
    """What the page of a user with an account of their own posts: their id, their signature."""
    return {"site_id": f"shop:{signatures.sign(names(id='u-9', email='u-9@example.com'))}"}


@pytest.mark.case("SPOOF-10")
@pytest.mark.parametrize("who", [{"email": "victim@example.com"}, {"id": "u-1"}])
def test_a_signature_changes_nothing_of_anybody_else(victim, attacker, who):
    Browser().send(identify(anonymous_id="a-1", data={"plan": "free"}, **who), **attacker)

    victim.refresh_from_db()
    assert victim.attributes["plan"] == "gold"
    assert not Activity.objects.filter(trusted=True, properties__plan="free").exists()


@pytest.mark.case("SPOOF-10")
@pytest.mark.parametrize(
    "message",
    [
        identify("u-9", email="victim@example.com", anonymous_id="same"),
        identify("u-1", email="u-9@example.com", anonymous_id="same"),
        identify("victim@example.com", email="u-9@example.com", anonymous_id="same"),
        identify("u-1", anonymous_id="same", cio_id="u-9", previous="u-9", user_id="u-9"),
    ],
    ids=itertools.count(),
)
def test_a_signature_joins_no_two_ids(victim, attacker, message):
    Browser().send(identify("u-9", email="u-9@example.com", anonymous_id="same"), **attacker)

    Browser().send(message, **attacker)

    assert Person.objects.find(id="u-9") != Person.objects.find(id="u-1") == victim
    assert Person.objects.find(email="victim@example.com") == victim


@pytest.mark.case("SPOOF-10")
@pytest.mark.parametrize("join", ["{}{}", "{}:{}", "{}.{}", "{}\0{}", "{} {}"])
def test_no_two_signatures_make_a_third(attacker, join):
    body, stamp, mac = attacker["site_id"].split(":")[1:]
    other = signatures.sign(names(id="u-1")).split(":")
    forged = [
        ":".join(parts)
        for parts in (
            (other[0], stamp, mac),
            (body, other[1] + "0", mac),
            (join.format(body, other[0]), stamp, mac),
            (body, stamp, join.format(mac, other[2])),
            (other[0], other[1], join.format(other[2], mac)),
        )
    ]

    for signature in forged:
        Browser().send(identify("u-1"), identify("u-9"), site_id=f"shop:{signature}")

    assert not Activity.objects.filter(trusted=True).exists()


@pytest.mark.case("SPOOF-08")
@pytest.mark.parametrize(
    "signature", ["", ":", "\0", "\ud800:\ud800:\ud800", "é:é:é", ".e30:1:x", "a:" * 50_000]
)
def test_what_is_no_signature_is_no_error(signature):
    response = Browser().send(identify("u-1"), site_id=f"shop:{signature}")

    assert (response.status_code, response.content) == (200, b'{"success":true}')
    assert not Activity.objects.get().trusted


@pytest.mark.case("SPOOF-04")
def test_one_browser_of_two_people_joins_them_not(victim):
    browser = Browser()

    browser.send(identify("u-1", anonymous_id="same"))
    browser.send(identify("u-2", anonymous_id="same"))

    assert Person.objects.find(id="u-2") != victim
    assert Person.objects.find(anonymous_id="same") == Person.objects.find(id="u-2")


@pytest.mark.case("SPOOF-16")
def test_a_browser_cannot_swallow_a_servers_message(victim):
    Browser().send(track("fake", anonymous_id="a-1", message_id="order-1001"))
    shortcuts.track(victim, "Order Completed", message_id="order-1001")

    assert victim.activities.filter(name="Order Completed").count() == 1


@pytest.mark.case("SPOOF-18")
@pytest.mark.parametrize("claim", ["1970-01-01", "future"])
def test_a_browser_tells_neither_the_future_nor_the_far_past(claim):
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False):
        Browser().send(track(anonymous_id="a", time=0 if claim != "future" else 4_102_444_800_000))

    at = Activity.objects.get().timestamp.isoformat()
    assert at == ("2026-11-21T12:00:00+00:00" if claim == "future" else "2026-11-19T12:00:00+00:00")


@pytest.mark.case("SPOOF-19", "SPOOF-20")
def test_address_and_browser_are_what_the_server_saw():
    browser = Browser(headers={"x-forwarded-for": "1.2.3.4, 5.6.7.8", "x-real-ip": "9.9.9.9"})

    browser.send(track(anonymous_id="a", context={"ip": "8.8.8.8", "user_agent": "x"}))

    context = Activity.objects.get().context
    assert context["ip"] == "127.0.0.0"
    assert "Firefox" in context["user_agent"]


@pytest.mark.case("SPOOF-20")
def test_behind_proxies_the_address_is_the_one_they_saw(settings):
    configure(settings, TRUSTED_PROXIES=1)

    Browser(headers={"x-forwarded-for": "1.2.3.4, 5.6.7.8"}).send(track(anonymous_id="a"))

    assert Activity.objects.get().context["ip"] == "5.6.0.0"


@pytest.mark.parametrize(
    "value", ["", ",", "x", "::1%eth0", "fe80::1%x", "1.2.3.4:80", "[::1]", "9" * 9999]
)
def test_no_forwarded_address_breaks_it(settings, value):
    configure(settings, TRUSTED_PROXIES=1)

    response = Browser(headers={"x-forwarded-for": value}).send(track(anonymous_id="a"))

    assert response.status_code == 200


@pytest.mark.case("DOS-12")
def test_nothing_that_was_sent_is_logged(caplog):
    Browser().send(
        track("secret-name", anonymous_id="a-1", data={"card": "4111111111111111"}),
        track("", anonymous_id="a-1", email="secret@example.com"),
        identify(anonymous_id="secret-visitor"),
    )

    assert "secret" not in caplog.text
    assert "4111" not in caplog.text


# Anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary().map(repr),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
TYPES = st.sampled_from(["page", "track", "identify", "link"])
FIELDS = ["message_id", "time", "anonymous_id", "id", "email", "name", "data", "url", "cio_id"]
MESSAGES = st.fixed_dictionaries({"type": TYPES | JSON}, optional=dict.fromkeys(FIELDS, JSON))


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    messages=st.lists(MESSAGES | JSON, max_size=4), sent_at=JSON, renew=JSON, signature=st.text()
)
def test_nothing_one_can_send_is_an_error_of_the_server(messages, sent_at, renew, signature):
    body = {"site_id": f"shop:{signature}", "sent_at": sent_at, "renew": renew}

    response = post(json.dumps({**body, "messages": messages}))

    assert response.status_code in {200, 400}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(raw=st.binary(max_size=200))
def test_no_bytes_are_an_error_of_the_server(raw):
    response = Browser().post(ENDPOINT, raw, content_type="text/plain")

    assert response.status_code in {400, 401}
