from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_tracking.identifiers import Kind, Ref
from identity_tracking.identity.rules import (
    TICK,
    Assertion,
    Change,
    Point,
    Span,
    Stretch,
    assertions,
    at,
    changes,
    hull,
    moved_span,
    overlay,
    proves_email,
    stretches,
)
from identity_tracking.messages import Order, Type, microseconds
from identity_tracking.models.identifier import BEGINNING, END
from tests.saying import alias, hour, identify, message, page, relate, track

EVER = Span(BEGINNING, END)
A, B, C = (UUID(int=number) for number in (1, 2, 3))
OWN = UUID(int=9)

U, E, X, P = (
    Ref(Kind.ID, "u"),
    Ref(Kind.EMAIL, "e@x.org"),
    Ref(Kind.ANONYMOUS_ID, "X"),
    Ref(Kind.ANONYMOUS_ID, "P"),
)
ALL: dict[str, Any] = {"id": "u", "email": "e@x.org", "anonymous_id": "X"}


# 1 What a message claims


@pytest.mark.parametrize(
    ("said", "claimed"),
    [
        (identify(**ALL), [Assertion(X, U, firm=True), Assertion(E, U, firm=False)]),
        (
            identify(**ALL, trusted=True),
            [Assertion(X, U, firm=True), Assertion(E, U, firm=True)],
        ),
        (
            identify(**ALL, trusted=True, email_trusted=False),
            [Assertion(X, U, firm=True), Assertion(E, U, firm=False)],
        ),
        (identify(email="e@x.org", anonymous_id="X"), [Assertion(X, E, firm=True)]),
        (identify(anonymous_id="X"), []),
        (identify(id="u"), []),
        (message(Type.LINK, id="u", anonymous_id="X"), [Assertion(X, U, firm=True)]),
        (message(Type.FORM, email="e@x.org", anonymous_id="X"), [Assertion(X, E, firm=True)]),
        (alias(**ALL, previous="P"), [Assertion(P, U, firm=True)]),
        (alias(id="u"), []),
        (alias(email="e@x.org", previous="P"), []),
        (page(**ALL), []),
        (track(**ALL), []),
        (relate("acme", **ALL), []),
        (message(Type.GROUP, **ALL), []),
    ],
    ids=[
        "untrusted",
        "trusted",
        "email unproven",
        "email only",
        "browser only",
        "id only",
        "link",
        "form",
        "alias",
        "alias of nothing",
        "alias to an email",
        "page",
        "track",
        "relate",
        "group",
    ],
)
def test_only_identify_and_alias_claim(said, claimed):
    assert assertions(said) == claimed


@pytest.mark.parametrize(
    ("said", "proves"),
    [
        (identify(email="e@x.org", trusted=True), True),
        (identify(email="e@x.org"), False),
        (identify(id="u", email="e@x.org", trusted=True), False),
        (track(email="e@x.org", trusted=True), False),
    ],
    ids=["trusted", "untrusted", "beside an id", "an event"],
)
def test_a_trusted_identify_by_email_alone_makes_it_known(said, proves):
    assert proves_email(said) is proves


# 2 Where new claims to an email can change its owner


@pytest.mark.parametrize(
    ("claims", "state", "span"),
    [
        ({"soft": [5]}, {}, at(hour(5))),
        ({"soft": [5, 7]}, {}, Span(hour(5), hour(7) + TICK)),
        ({"soft": [5]}, {"known": True}, None),
        ({"soft": [5]}, {"had_firm": True}, None),
        ({"firm": [5]}, {}, EVER),
        ({"firm": [5]}, {"known": True}, EVER),
        ({"firm": [5], "soft": [1]}, {"had_firm": True}, at(hour(5))),
        ({}, {"newly_known": True}, EVER),
        ({"soft": [5]}, {"newly_known": True, "known": True}, EVER),
        ({}, {"newly_known": True, "had_firm": True}, None),
        ({}, {}, None),
    ],
    ids=str,
)
def test_the_first_proof_switches_off_what_is_unproven_everywhere(claims, state, span):
    spans = {
        kind: [at(hour(number)) for number in claims.get(kind, [])] for kind in ("firm", "soft")
    }
    flags: dict[str, bool] = {"had_firm": False, "known": False, "newly_known": False, **state}

    assert moved_span(firm=spans["firm"], soft=spans["soft"], ever=EVER, **flags) == span


def test_the_hull_of_nothing_is_nothing():
    assert hull([]) is None


# 3 and 4 Whose it is


def point(number, person, *, tie=0):
    time = hour(number)
    return Point(Order(microseconds(time), str(tie), False, "shop"), time, person)


def test_without_claims_an_email_is_its_own_and_a_browser_nobodys():
    assert stretches([], EVER, shared=False, own=OWN) == [Stretch(*EVER, OWN)]
    assert stretches([], EVER, shared=True, own=None) == [Stretch(*EVER, None)]


def test_one_claim_is_for_all_time():
    assert stretches([point(1, A)], EVER, shared=True, own=None) == [Stretch(*EVER, A)]


def test_between_two_people_a_browser_is_nobodys_and_keeps_both_sides():
    first, gap, last = stretches([point(1, A), point(5, B)], EVER, shared=True, own=None)

    assert first == Stretch(BEGINNING, hour(1) + TICK, A)
    assert gap == Stretch(hour(1) + TICK, hour(5), A, B)
    assert gap.people == (A, B)
    assert last == Stretch(hour(5), END, B)


def test_between_two_people_an_email_is_the_firsts():
    assert stretches([point(1, A), point(5, B)], EVER, shared=False, own=OWN) == [
        Stretch(BEGINNING, hour(5), A),
        Stretch(hour(5), END, B),
    ]


@pytest.mark.parametrize("shared", [True, False])
def test_two_claims_of_one_person_leave_no_gap(shared):
    points = [point(1, A), point(5, A)]

    assert stretches(points, EVER, shared=shared, own=None) == [Stretch(*EVER, A)]


def test_claims_at_one_instant_count_in_their_order():
    points = [point(5, A), point(5, B, tie=1), point(5, C, tie=2)]

    assert stretches(points, EVER, shared=True, own=None) == [
        Stretch(BEGINNING, hour(5), A),
        Stretch(hour(5), END, C),
    ]


def test_claims_a_microsecond_apart_leave_no_gap():
    later = Point(Order(microseconds(hour(5)) + 1, "", False, ""), hour(5) + TICK, B)

    assert [one.after for one in stretches([point(5, A), later], EVER, shared=True, own=None)] == [
        None,
        None,
    ]


def test_a_stretch_ends_with_its_window():
    window = Span(hour(1), hour(3))

    assert stretches([point(1, A), point(9, B)], window, shared=True, own=None) == [
        Stretch(hour(1), hour(1) + TICK, A),
        Stretch(hour(1) + TICK, hour(3), A, B),
    ]


points = st.lists(st.tuples(st.integers(0, 8), st.sampled_from([A, B, C])), max_size=7).map(
    lambda drawn: sorted(point(number, who, tie=tie) for tie, (number, who) in enumerate(drawn))
)


@given(points, points, st.booleans())
def test_folding_a_window_equals_folding_everything(old, new, shared):
    own = None if shared else OWN
    everything = sorted([*old, *new])
    rows = overlay([], stretches(old, EVER, shared=shared, own=own), EVER)

    if new:
        since, until = min(new).time, max(new).time + TICK
        before = max((one.time for one in old if one.time < since), default=BEGINNING)
        after = min((one.time for one in old if one.time >= until), default=END)
        near = [one for one in everything if before <= one.time <= after]
        within = Span(before, after)
        rows = overlay(rows, stretches(near, within, shared=shared, own=own), within)

    assert rows == overlay([], stretches(everything, EVER, shared=shared, own=own), EVER)


@given(points, st.booleans())
def test_stretches_leave_nothing_out(given, shared):
    rows = stretches(given, EVER, shared=shared, own=OWN)

    assert (rows[0].since, rows[-1].until) == EVER
    assert all(one.until == other.since for one, other in pairwise(rows))


windows = st.tuples(st.integers(0, 8), st.integers(1, 4)).map(
    lambda drawn: Span(hour(drawn[0]), hour(drawn[0]) + timedelta(hours=drawn[1]))
)


@given(points, points, windows)
def test_overlaying_is_canonical(old, new, window):
    rows = overlay([], stretches(old, EVER, shared=True, own=None), EVER)
    pieces = stretches([one for one in new if one.time in {*window}], window, shared=True, own=None)

    result = overlay(rows, pieces, window)

    assert result == overlay(result, pieces, window)
    for one, other in pairwise(result):
        assert one.until <= other.since
        assert one.until < other.since or one.people != other.people


def test_what_is_nobodys_for_want_of_a_claim_has_no_row():
    assert overlay([Stretch(*EVER, A)], [Stretch(*EVER, None)], EVER) == []


# What changed


def test_a_change_is_where_the_owner_differs():
    old = [Stretch(*EVER, A)]
    new = [Stretch(BEGINNING, hour(5), A), Stretch(hour(5), END, B)]

    assert changes(old, new, EVER) == [Change(Span(hour(5), END), (A, None), (B, None))]


def test_a_gap_is_a_change_for_both_its_sides():
    gap = [Stretch(*EVER, A, B)]

    assert changes([Stretch(*EVER, A)], gap, EVER) == [Change(EVER, (A, None), (A, B))]
    assert changes([], gap, EVER) == [Change(EVER, (None, None), (A, B))]
