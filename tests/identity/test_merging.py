from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest

from identity_tracking.identity import merging
from identity_tracking.identity.merging import Group, Merge
from identity_tracking.identity.registers import fill, join, shown, split, written
from identity_tracking.messages import microseconds, object_ref
from tests.saying import hour, identify, relate

A, B, C, D = PEOPLE = [UUID(int=number) for number in range(1, 5)]
fold = partial(merging.fold, ids=PEOPLE)
roots = partial(merging.roots, ids=PEOPLE)
ACME = object_ref("company", "acme")
NOTHING = join([])
MERGED = microseconds(hour(5))


def merge(primary, secondary, *, at=5, number=0, unproven=False):
    return Merge(unproven, microseconds(hour(at)), UUID(int=number), primary, secondary)


def sets(at, *, trusted=False, **values):
    return written(identify(id="u", at=at, trusted=trusted, properties=values))


def relates(at, *, trusted=False, present=True, role=None):
    return written(relate("acme", id="u", at=at, trusted=trusted, present=present, role=role))


def plan(group: Group):
    return shown(group.document).attributes.get("plan")


# Who becomes whom


def test_without_merges_everybody_is_themselves():
    assert roots([A, B], []) == {A: A, B: B}


def test_the_secondary_becomes_the_primary():
    assert roots([A, B, C], [merge(A, B)]) == {A: A, B: A, C: C}


def test_merges_chain_either_way():
    assert roots([A, B, C], [merge(A, B, at=1), merge(B, C, at=2)]) == {A: A, B: A, C: A}
    assert roots([A, B, C], [merge(B, C, at=1), merge(A, B, at=2)]) == {A: A, B: A, C: A}


def test_a_merge_of_two_who_are_one_has_no_effect():
    circle = [merge(A, B, at=1), merge(B, C, at=2), merge(C, A, at=3)]

    assert roots([A, B, C], circle) == {A: A, B: A, C: A}
    assert roots([A, B, C], circle[1:]) == {A: B, B: B, C: B}


def test_merges_fold_in_the_order_of_their_time_then_of_their_id():
    later, earlier = merge(B, A, at=2), merge(A, B, at=1)
    second, first = merge(B, A, number=2), merge(A, B, number=1)

    assert roots([A, B], [later, earlier]) == {A: A, B: A}
    assert roots([A, B], [second, first]) == {A: A, B: A}


def test_a_group_names_its_people_in_the_order_in_which_they_came():
    merges = [merge(C, D, at=1), merge(A, B, at=2), merge(A, C, at=3)]

    assert fold(dict.fromkeys([A, B, C, D], NOTHING), merges)[A].people == (A, B, C, D)


def test_what_rests_on_an_unproven_claim_folds_last():
    merges = [merge(B, A, at=1, unproven=True), merge(A, C, at=2)]

    assert merging.roots([A, B, C], merges, ids=[A]) == {A: B, B: B, C: B}


def test_what_rests_on_an_unproven_claim_never_joins_two_ids():
    merges = [merge(A, B, at=1, unproven=True), merge(B, C, at=2)]

    assert merging.roots([A, B, C], merges, ids=[A, C]) == {A: A, B: B, C: B}


# What they wrote


def test_an_attribute_of_the_primary_stays():
    group = fold({A: sets(1, plan="a"), B: sets(2, plan="b")}, [merge(A, B)])[A]

    assert plan(group) == "a"


def test_what_the_primary_lacks_it_inherits():
    group = fold({A: sets(1, city="Bern"), B: sets(2, plan="b")}, [merge(A, B)])[A]

    assert shown(group.document).attributes == {"city": "Bern", "plan": "b"}


def test_what_is_written_from_the_merge_on_counts_as_any_other():
    group = fold({A: sets(1, plan="a"), B: sets(5, plan="b")}, [merge(A, B)])[A]

    assert plan(group) == "b"


def test_what_a_merge_filled_counts_no_more_once_it_was_removed():
    documents = {A: NOTHING, B: sets(4, plan=None), C: sets(1, plan="c")}

    assert plan(fold(documents, [merge(B, C, at=3)])[B]) is None
    assert plan(fold(documents, [merge(B, C, at=3), merge(A, B, at=6)])[A]) is None


def test_the_first_merge_fills_first():
    documents = {A: NOTHING, B: sets(2, plan="b"), C: sets(1, plan="c")}

    assert plan(fold(documents, [merge(A, B, at=6), merge(A, C, at=5)])[A]) == "c"


@pytest.mark.parametrize(
    ("mine", "theirs", "value"),
    [
        ([], [sets(2, plan="b")], "b"),
        ([sets(1, plan="a")], [sets(2, plan="b")], "a"),
        ([sets(1, plan="a")], [sets(2, plan="b", trusted=True)], "a"),
        ([sets(1, plan=None)], [sets(2, plan="b")], "b"),
        ([sets(3, plan=None)], [sets(2, plan="b")], "b"),
        ([sets(5, plan=None)], [sets(2, plan="b")], None),
        ([sets(7, plan=None)], [sets(2, plan="b")], None),
        ([sets(1, plan=None, trusted=True)], [sets(2, plan="b", trusted=True)], "b"),
        ([sets(1, plan=None, trusted=True)], [sets(2, plan="b")], None),
        ([sets(7, plan=None)], [sets(2, plan="b", trusted=True)], "b"),
        ([sets(7, plan="a")], [sets(2, plan="b", trusted=True)], "b"),
        ([sets(7, plan="a")], [sets(2, plan=None, trusted=True)], None),
        ([sets(7, plan="a", trusted=True)], [sets(2, plan="b", trusted=True)], "a"),
    ],
    ids=[
        "nothing",
        "set",
        "set, though not proven",
        "removed before",
        "removed after the other wrote, before the merge",
        "removed at the merge",
        "removed after",
        "a proven one removed before",
        "a proven removal before, and nothing proven to fill it",
        "an unproven removal after leaves what is proven",
        "an unproven write after leaves what is proven",
        "an unproven write after leaves a proven removal",
        "a proven write after",
    ],
)
def test_only_what_was_unset_is_filled(mine, theirs, value):
    result = fill(join(mine), join(theirs), MERGED)

    assert shown(result).attributes.get("plan") == value


def test_with_a_value_comes_what_lost_to_it_and_where_it_is_from():
    theirs = join([sets(1, plan="b", trusted=True), sets(2, plan="x")])

    result = shown(fill(NOTHING, theirs, MERGED))

    assert result.claimed["plan"]["value"] == "x"
    assert result.provenance["plan"]["at"] == hour(1).isoformat()


@pytest.mark.parametrize(
    ("mine", "theirs", "attributes"),
    [
        ([], [relates(2, role="b")], {"role": "b"}),
        ([relates(1)], [relates(2, role="b")], {}),
        ([relates(1, role="a")], [relates(2, role="b", trusted=True)], {"role": "a"}),
        ([relates(1, present=False)], [relates(2, role="b")], {"role": "b"}),
        ([relates(7, present=False)], [relates(2, role="b")], None),
        ([relates(7, present=False)], [relates(2, role="b", trusted=True)], {"role": "b"}),
        ([relates(1, present=False, trusted=True)], [relates(2, role="b")], None),
        ([relates(7, role="a")], [relates(2, role="b", trusted=True)], {"role": "b"}),
        ([relates(7, role="a")], [relates(2, present=False, trusted=True)], None),
        (
            [relates(7, trusted=True)],
            [relates(1, role="b"), relates(2, present=False, trusted=True)],
            {},
        ),
        (
            [relates(1, role="a"), relates(2, present=False, trusted=True)],
            [relates(2, trusted=True)],
            {},
        ),
    ],
    ids=[
        "nothing",
        "there, without the attribute",
        "there, though not proven",
        "removed before",
        "removed after",
        "an unproven removal after leaves what is proven",
        "a proven removal before, and nothing proven to fill it",
        "an unproven write after leaves what is proven",
        "an unproven write after leaves a proven removal",
        "what their proven removal cleared stays cleared",
        "what a proven removal cleared stays cleared when it is filled",
    ],
)
def test_only_a_relationship_that_was_not_there_is_filled(mine, theirs, attributes):
    result = fill(join(mine), join(theirs), MERGED)

    assert shown(result).relationships.get(ACME) == attributes


def test_a_relationship_said_again_after_the_merge_keeps_its_attributes():
    documents = {A: NOTHING, B: join([relates(2, role="b"), relates(7)])}

    group = fold(documents, [merge(A, B)])[A]

    assert shown(group.document).relationships == {ACME: {"role": "b"}}


# What was written before


def test_a_document_is_split_at_a_time_and_joins_again():
    document = join([sets(1, plan="a"), sets(5, city="b"), relates(4, role="c"), relates(6)])

    early, later = split(document, MERGED)

    assert shown(early).attributes == {"plan": "a"}
    assert shown(later).attributes == {"city": "b"}
    assert join([early, later]) == document


def test_splitting_a_document_at_its_end_leaves_nothing():
    assert split(sets(1, plan="a"), MERGED)[1] == {}
