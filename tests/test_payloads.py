from __future__ import annotations

import json
import math
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import example, given
from hypothesis import strategies as st

from identity_tracking.exceptions import InvalidMessage
from identity_tracking.models import Activity
from identity_tracking.payloads import (
    MAX_DEPTH,
    MAX_KEPT,
    MAX_KEYS,
    MAX_MESSAGE,
    MAX_NAME,
    Json,
    clean_mapping,
    clean_text,
    decode,
    printable,
)
from tests.factories import ActivityFactory

LIMIT = 100_000  # bytes


def code_of(function, *args, **kwargs):
    with pytest.raises(InvalidMessage) as raised:
        function(*args, **kwargs)
    return raised.value.code


def nested(depth):
    value: Json = {}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


def test_a_body_within_the_limit_is_parsed():
    assert decode(b'{"a": [1, null, "\xc3\xa9"]}', limit=22) == {"a": [1, None, "é"]}


def test_a_body_over_the_limit_is_refused_unread():
    assert code_of(decode, b"{" * 21, limit=20) == "too_large"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1,}',
        b'"\xff"',
        b"\xef\xbb\xbf{}",  # a byte order mark
        '{"a": 1}'.encode("utf-16"),
        '{"a": 1}'.encode("utf-16-le"),
        '{"a": 1}'.encode("utf-32"),
        b'"\xed\xa0\x80"',  # a surrogate, encoded
        b'{"a": ' + b"9" * 5000 + b"}",
        b"[" * 50_000,
    ],
    ids=lambda body: repr(body[:20]),
)
def test_what_is_no_strict_json_is_refused(body):
    assert code_of(decode, body, limit=LIMIT) == "invalid_json"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b'{"a": 1e400}', "number_not_finite"),
        (b'{"a": -1e400}', "number_not_finite"),
        (b'{"a": ' + b"9" * 400 + b"}", "number_too_large"),
        (b'{"a": 9223372036854775808}', "number_too_large"),
        (b'{"a": "\\ud800"}', "invalid_text"),
        (b'{"\\udfff": 1}', "invalid_text"),
        (b'{"a": "\\u0000"}', "invalid_text"),
        (b'{"a": [["b\\u0000"]]}', "invalid_text"),
        (b"[]", "not_an_object"),
        (b'"a"', "not_an_object"),
        (b"0", "not_an_object"),
    ],
    ids=lambda value: repr(value[:20]),
)
def test_json_that_some_database_cannot_keep_is_refused(body, code):
    assert code_of(clean_mapping, decode(body, limit=LIMIT)) == code


def test_numbers_of_64_bits_pass():
    edges = {"least": -(2**63), "most": 2**63 - 1, "tiny": 5e-324, "huge": 1.7e308}

    assert clean_mapping(edges) == edges


def test_none_is_no_properties():
    assert clean_mapping(None) == {}


def test_json_may_nest_16_deep():
    assert clean_mapping(nested(MAX_DEPTH)) == nested(MAX_DEPTH)
    assert code_of(clean_mapping, nested(MAX_DEPTH + 1)) == "too_deep"


def test_a_message_may_have_300_keys_at_all_depths():
    most = {"a": {str(number): None for number in range(MAX_KEYS - 1)}}

    assert clean_mapping(most) == most
    assert code_of(clean_mapping, {**most, "b": 1}) == "too_many_keys"


def test_a_key_may_have_150_characters():
    assert clean_mapping({"é" * MAX_NAME: 1})
    assert code_of(clean_mapping, {"é" * (MAX_NAME + 1): 1}) == "key_too_long"


def test_a_message_may_have_32_kilobytes_as_json():
    rest = MAX_MESSAGE - len('{"a": ""}')

    assert clean_mapping({"a": "x" * rest})
    assert code_of(clean_mapping, {"a": "x" * (rest + 1)}) == "too_large"


@pytest.mark.parametrize("letter", ["é", "я", "中", "🦊"])
def test_32_kilobytes_are_as_many_in_any_script(letter):
    most = (MAX_MESSAGE - len('{"a": ""}')) // len(letter.encode())

    assert clean_mapping({"a": letter * most})
    assert code_of(clean_mapping, {"a": letter * (most + 1)}) == "too_large"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, tzinfo=UTC), "2026-01-02T03:00:00Z"),
        (timedelta(days=1), "P1DT00H00M00S"),
        (Decimal("1.50"), "1.50"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (gettext_lazy("person"), "person"),
        ((1, 2), [1, 2]),
        (frozenset({1}), [1]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_python_sends_becomes_json(given, kept):
    assert clean_mapping({"a": given}) == {"a": kept}


@pytest.mark.parametrize("key", [1, None, (1, 2)])
def test_keys_become_text(key):
    assert clean_mapping({key: 1}) == {str(key): 1}


@pytest.mark.parametrize(
    "given",
    [b"bytes", object(), time(1, tzinfo=UTC), (one for one in [1]), {10**5000: 1}],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_json_is_refused(given):
    assert code_of(clean_mapping, {"a": given}) == "not_json"


def test_text_is_one_line_cut_to_its_limit():
    assert clean_text("  added \n to\tcart ", 8) == "added to"


@pytest.mark.parametrize(("given", "kept"), [(None, ""), (4.5, "4.5"), (7, "7"), ("", "")])
def test_a_name_may_be_a_number_or_absent(given, kept):
    assert clean_text(given, 10) == kept


@pytest.mark.parametrize("wrong", [[], {}, b"a", 10**5000], ids=lambda value: type(value).__name__)
def test_a_name_that_is_no_text_is_refused(wrong):
    assert code_of(clean_text, wrong, 10) == "not_text"


@pytest.mark.parametrize("wrong", ["a\0", "\ud800"])
def test_a_name_that_no_database_keeps_is_refused(wrong):
    assert code_of(clean_text, wrong, 10) == "invalid_text"


def circle():
    value: Json = {}
    value["a"] = value
    return value


@pytest.mark.parametrize(
    "refused",
    [{"a": "\0\ud800é"}, {(1, 2): object()}, circle(), 10**5000, nested(5000), {"a": b"\xff"}],
    ids=["unstorable", "object", "circle", "number", "nested", "bytes"],
)
def test_anything_refused_can_be_kept_as_ascii(refused):
    assert printable(refused).isascii()
    assert "\0" not in printable(refused)


def test_what_is_refused_is_kept_up_to_a_length():
    assert len(printable("x" * (MAX_KEPT * 2))) == MAX_KEPT


@pytest.mark.parametrize("letter", ["x", "é", "中", "🦊"])
def test_what_is_refused_is_kept_whole_in_any_script(letter):
    most = {"a": letter * ((MAX_MESSAGE - 10) // len(letter.encode()))}

    assert json.loads(printable(most)) == most


texts = st.text(st.characters(exclude_categories=[]))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def cleaned(value):
    try:
        return clean_mapping(value)
    except InvalidMessage:
        return {}


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_bytes_arrive_are_read_or_refused(body):
    with suppress(InvalidMessage):
        assert isinstance(clean_mapping(decode(body, limit=LIMIT)), dict)


def alike(one, other):
    """Equal as JSON; a database may hand a float without fraction back as an integer."""
    if isinstance(one, float) and not isinstance(other, bool):
        return math.isclose(one, float(other), rel_tol=0)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return type(one) is type(other) and one == other


@pytest.mark.django_db
@given(st.dictionaries(texts, json_values, max_size=4))
@example({"a": [5e-324, 1.7976931348623157e308, -0.0, 2**63 - 1, -(2**63)]})
@example({"": {"\x01\x7f\u2028": "\U0010ffff\ufffe"}})
@example(nested(MAX_DEPTH))
def test_what_is_accepted_comes_back_from_the_database_as_it_was(value):
    value = cleaned(value)
    Activity.objects.all().delete()
    row = ActivityFactory(properties=value)

    row.refresh_from_db()

    assert alike(value, row.properties)
