from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from identity_tracking.nesting import LEVELS, shallow
from identity_tracking.payloads import MAX_DEPTH

DEEP = 1_200
ODD = '" [ ] { } \\" \\\\'  # brackets and quotes that are none


def lists(depth, inner="1"):
    return "[" * depth + inner + "]" * depth


def objects(depth, inner="1"):
    return (json.dumps({ODD: None})[:-5] + " ") * depth + inner + "}" * depth


def depth_of(value):
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth_of, inner), default=0) if isinstance(value, dict | list) else 0


@pytest.mark.parametrize("nested", [lists, objects])
@pytest.mark.parametrize("depth", [2 * LEVELS, DEEP, 100_000])
def test_what_is_too_deep_keeps_its_first_levels(nested, depth):
    read = shallow(nested(depth), json.loads)

    assert MAX_DEPTH + 5 < LEVELS - 1 <= depth_of(read) < 2 * LEVELS


@pytest.mark.parametrize("depth", [0, 1, LEVELS - 1, LEVELS, LEVELS + 1, 2 * LEVELS - 1])
def test_what_is_not_too_deep_stays_whole(depth):
    text = lists(depth, inner=json.dumps(ODD))

    assert shallow(text, json.loads) == json.loads(text)


def test_what_stands_beside_it_stays_whole():
    good = {"a": [ODD, {"b": {}}], ODD: [[]]}
    text = f"[{json.dumps(good)}, {lists(DEEP)}, {json.dumps(good)}, {objects(DEEP)}]"

    first, _, second, _ = shallow(text, json.loads)

    assert (first, second) == (good, good)


@pytest.mark.parametrize("depth", [0, LEVELS - 1, LEVELS, 150, 5 * LEVELS, DEEP])
@pytest.mark.parametrize(
    "wrong", ["[}", "[1,", "[1,]", "{1: 2}", '"', r'"\"', "]", "[", "[1 2]", "nul", "01", "\\"]
)
def test_what_is_no_json_is_none_at_any_depth(depth, wrong):
    text = f"[{lists(DEEP)}, {lists(depth, inner=wrong)}]"

    assert not is_json(lambda: shallow(text, json.loads))


@given(st.floats(0, 1), st.sampled_from('[]{}",:\\1 x'), st.integers(0, 1))
@example(0.5, "]", 1)
def test_what_python_reads_is_json_or_none_as_python_says(place, character, replaced):
    text = f'[{lists(350, inner=json.dumps(ODD))}, {objects(450)}, {{"a": "b"}}]'
    at = int(place * len(text))
    spoilt = text[:at] + character + text[at + replaced :]

    assert is_json(lambda: shallow(spoilt, json.loads)) == is_json(lambda: json.loads(spoilt))


def is_json(read):
    try:
        read()
    except (ValueError, RecursionError):
        return False
    return True
