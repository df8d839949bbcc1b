"""JSON that one database or another cannot keep, or that is none: at every entrance alike."""

from __future__ import annotations

import json

import pytest

from identity_tracking.models import Activity, FailedEvent, Person
from tests.attacks.entrances import ENTRANCES, is_taken

pytestmark = pytest.mark.django_db

DEEP = 100_000
MANY = 100_000
LOOKUPS = {
    "a__b": 1,
    'a"b': 2,
    "a'b": 3,
    "a.b": 4,
    "$set": 5,
    "a%b": 6,
    "?": 7,
    "": 8,
    "a` OR 1=1--": 9,
}

every_entrance = pytest.mark.parametrize("entrance", ENTRANCES.values(), ids=ENTRANCES)


def by_case(cases):
    """Return what pytest tries, each named and marked by its case."""
    return [
        pytest.param(values, marks=pytest.mark.case(case), id=case)
        for case, values in cases.items()
    ]


def nested(depth):
    return '{"a":' * depth + "1" + "}" * depth


def brackets(depth):
    return "[" * depth + "]" * depth


UNKEEPABLE = {  # fields of an event, as JSON
    "JSON-01": [{"data": r'{"a": "x\u0000y"}'}, {"data": r'{"a": ["\u0000"]}'}],
    "JSON-02": [{"data": r'{"x\u0000y": 1}'}],
    "JSON-03": [{"name": r'"a\u0000b"'}],
    "JSON-05": [{"data": r'{"\udfff": 1}'}, {"data": r'{"a": "\ud800"}'}, {"name": r'"\udead"'}],
    "JSON-09": [{"data": '{"a": 1e400}'}, {"data": '{"a": [-1e400]}'}],
    "JSON-11": [{"data": '{"a": ' + "9" * 400 + "}"}, {"data": '{"a": 9223372036854775808}'}],
    "JSON-13": [{"data": nested(17)}, {"data": '{"a": ' + "[" * 20 + "]" * 20 + "}"}],
    "JSON-16": [{"data": nested(1_200)}, {"data": nested(16_000)}, {"data": brackets(50_000)}],
    "JSON-25": [{"data": json.dumps({f"k{n}": n for n in range(301)})}],
    "JSON-29": [{"data": json.dumps({"k" * 151: 1})}],
}

NO_JSON = {  # fields of an event: with them the body is none
    "JSON-07": [{"data": '{"a": NaN}'}, {"data": '{"a": -Infinity}'}],
    "JSON-11": [{"data": '{"a": ' + "9" * 5_000 + "}"}],
    "JSON-16": [{"data": "[" * 50_000 + "]" * 49_999 + "}"}, {"data": nested(1_200)[:-1]}],
    "JSON-33": [
        {"data": '{"a": 1,}'},
        {"data": "{'a': 1}"},
        {"data": "{} // a"},
        {"data": "{}}{"},
    ],
}

NO_BODY = {  # whole bodies
    "JSON-16": [b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP],
    "JSON-18": ['{"event": "x"}'.encode("utf-16"), '{"event": "x"}'.encode("utf-32")],
    "JSON-20": [b'{"event": "\xc0\xaf\xff"}', b"\xff", b"\xef\xbb\xbf{}"],
    "JSON-22": [b"1", b"null", b'"x"', b"[]", b"[[]]", b"true"],
    "JSON-25": [json.dumps({"event": "x", "properties": {f"k{n}": n for n in range(MANY)}})],
    "JSON-27": [b"{" + b" " * 5_000_000 + b"}"],
    "JSON-36": [b"&".join(b"a%d=1" % n for n in range(MANY))],
}

ODD = {  # fields of an event, and what of it must have been kept
    "JSON-13": [({"data": nested(14)}, {"properties": json.loads(nested(14))})],
    "JSON-30": [({"data": json.dumps(LOOKUPS)}, {"properties": LOOKUPS})],
    "JSON-34": [({"name": r'"a\r\n2026-01-01 CRITICAL forged"'}, {})],
}


@every_entrance
@pytest.mark.parametrize("events", by_case(UNKEEPABLE))
def test_what_not_every_database_can_keep_is_refused_and_set_aside(entrance, events):
    for number, fields in enumerate(events, start=1):
        answer = entrance.post(entrance.event(**fields))

        assert answer.status_code in {200, 207, 400}
        assert not is_taken(answer)
        assert (Activity.objects.count(), FailedEvent.objects.count()) == (0, number)


@every_entrance
@pytest.mark.parametrize("events", by_case(NO_JSON))
def test_what_is_no_strict_json_is_refused_whole(entrance, events):
    for fields in events:
        assert entrance.post(entrance.event(**fields)).status_code == 400

    assert not Activity.objects.exists()


@every_entrance
@pytest.mark.parametrize("bodies", by_case(NO_BODY))
def test_what_is_no_body_keeps_nothing(entrance, bodies):
    for body in bodies:
        answer = entrance.post(body)

        assert answer.status_code in {200, 400, 401, 413}
        assert not is_taken(answer)
    assert not Activity.objects.exists()
    assert not Person.objects.exists()


@every_entrance
@pytest.mark.parametrize("events", by_case(ODD))
def test_what_is_merely_odd_is_kept_as_it_is(entrance, events):
    for fields, expected in events:
        assert is_taken(entrance.post(entrance.event(**fields)))

        activity = Activity.objects.get()
        assert {name: getattr(activity, name) for name in expected} == expected
        assert activity.name == " ".join(activity.name.split())


@pytest.mark.case("JSON-17")
@every_entrance
def test_of_two_equal_keys_the_last_is_checked_and_kept(entrance):
    event = entrance.event(data='{"a": 1, "a": 2}')

    assert is_taken(entrance.post(event))
    assert Activity.objects.get().properties == {"a": 2}


@pytest.mark.case("JSON-24")
@pytest.mark.parametrize("name", ["script", "segment", "segment-page"])
@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("1", "1"),
        ("1.5", "1.5"),
        ("-0", "a-1"),
        ("true", "a-1"),
        ("null", "a-1"),
        ("[]", "a-1"),
        ("{}", "a-1"),
        ('{"$ne": null}', "a-1"),
    ],
)
def test_an_id_is_a_string_or_a_number_or_none(name, said, kept):
    entrance = ENTRANCES[name]

    assert is_taken(entrance.post(entrance.event(id=said)))
    assert Activity.objects.get().identifier.value == kept


@pytest.mark.case("JSON-35")
@every_entrance
@pytest.mark.parametrize("type", ["text/plain;charset=UTF-8", "application/x-www-form-urlencoded"])
def test_whatever_a_body_says_it_is_it_is_read_as_strict_json(entrance, type):
    assert is_taken(entrance.post(entrance.event(), type=type))
    assert not is_taken(entrance.post(entrance.event(data='{"a": NaN}'), type=type))


@pytest.mark.case("FAULT-10")
@pytest.mark.parametrize("name", ["script", "segment-page", "track-2"])
@pytest.mark.parametrize("data", [r'{"a": "\ud800"}', nested(1_200)], ids=["text", "depth"])
def test_one_bad_event_spoils_none_beside_it(name, data):
    entrance = ENTRANCES[name]
    good, bad = entrance.event(), entrance.event(data=data)
    one, poison = (text.partition("[")[2].rpartition("]")[0] for text in (good, bad))
    body = good.replace(one, f"{one}, {one}, {poison}, {one}")

    answer = entrance.post(body)

    (error,) = answer.json()["errors"]
    assert error.get("index", error.get("batch_index")) == 2
    assert (Activity.objects.count(), FailedEvent.objects.count()) == (3, 1)


@pytest.mark.case("DOS-06")
@pytest.mark.parametrize("name", ["segment", "segment-page", "track-1", "track-2"])
def test_an_event_has_a_limit_and_so_has_a_batch(name):
    entrance = ENTRANCES[name]

    event = entrance.post(entrance.event(data=json.dumps({"a": "x" * 33_000})))
    whole = entrance.post(entrance.event(data=json.dumps({"a": "x" * 513_000})))

    assert not is_taken(event)
    assert whole.status_code == 413
    assert Activity.objects.count() == 0
    assert "too_large" in {failed.code for failed in FailedEvent.objects.all()}
