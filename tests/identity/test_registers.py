from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_tracking.identity import registers
from identity_tracking.identity.registers import bounded, join, shown, shown_email, written
from identity_tracking.messages import Relation, Type, object_ref
from tests.saying import hour, identify, message, relate

ACME = object_ref("company", "acme")


def sets(at, *, trusted=False, **values):
    return written(identify(id="u", at=at, trusted=trusted, properties=values))


def relates(at, *, trusted=False, present=True, role=None):
    return written(relate("acme", id="u", at=at, trusted=trusted, present=present, role=role))


def calls(at, email, *, trusted=False):
    return written(identify(id="u", email=email, at=at, trusted=trusted))


@pytest.mark.parametrize(
    ("writes", "value"),
    [
        ([sets(1, plan="pro")], "pro"),
        ([sets(1, plan="pro"), sets(2, plan="free")], "free"),
        ([sets(1, plan="pro"), sets(2, city="Bern")], "pro"),
        ([sets(1, plan="pro"), sets(2, plan=None)], None),
        ([sets(1, plan=None), sets(2, plan="pro")], "pro"),
        ([sets(1, plan="pro", trusted=True), sets(2, plan="free")], "pro"),
        ([sets(1, plan="free"), sets(2, plan="pro", trusted=True)], "pro"),
        ([sets(1, plan=None, trusted=True), sets(2, plan="free")], None),
        ([sets(1, plan="pro", trusted=True), sets(2, plan=None)], "pro"),
    ],
    ids=[
        "set",
        "overwritten",
        "another left alone",
        "removed",
        "set again",
        "trusted before untrusted",
        "trusted after untrusted",
        "removed by a trusted one",
        "not removed by an untrusted one",
    ],
)
@pytest.mark.parametrize("arrival", [1, -1], ids=["in order", "out of order"])
def test_the_last_write_of_an_attribute_wins_and_trusted_ones_first(writes, value, arrival):
    assert shown(join(writes[::arrival])).attributes.get("plan") == value


def test_a_value_that_lost_to_a_trusted_one_is_kept_beside_it():
    result = shown(join([sets(1, plan="pro", trusted=True), sets(2, plan="free")]))

    assert result.claimed["plan"]["value"] == "free"
    assert result.claimed["plan"]["trusted"] is False


def test_a_value_equal_to_the_trusted_one_is_no_claim():
    assert shown(join([sets(1, plan="pro", trusted=True), sets(2, plan="pro")])).claimed == {}


def test_an_attribute_says_where_it_is_from():
    said = identify(id="u", at=1, trusted=True, properties={"plan": "pro"}, message_id="m")

    assert shown(written(said)).provenance["plan"] == {
        "at": hour(1).isoformat(),
        "source": "shop",
        "trusted": True,
        "message_id": "m",
    }


@pytest.mark.parametrize("value", [0, False, "", [], {}], ids=repr)
def test_only_none_removes(value):
    assert shown(sets(1, plan=value)).attributes == {"plan": value}


# Relationships


@pytest.mark.parametrize(
    ("writes", "attributes"),
    [
        ([relates(1)], {}),
        ([relates(1, role="admin")], {"role": "admin"}),
        ([relates(1, role="admin"), relates(2, role="member")], {"role": "member"}),
        ([relates(1, role="admin"), relates(2)], {"role": "admin"}),
        ([relates(1), relates(2, present=False)], None),
        ([relates(1, present=False)], None),
        ([relates(1, role="admin"), relates(2, present=False), relates(3)], {}),
        ([relates(1, trusted=True), relates(2, present=False)], {}),
        ([relates(1), relates(2, present=False, trusted=True), relates(3)], None),
        (
            [relates(1, role="admin", trusted=True), relates(2, role="owner")],
            {"role": "admin"},
        ),
        (
            [
                relates(1, role="owner"),
                relates(2, present=False, trusted=True),
                relates(3, trusted=True),
            ],
            {},
        ),
    ],
    ids=[
        "added",
        "with attributes",
        "overwritten",
        "added again keeps attributes",
        "removed",
        "removed unseen",
        "re-added starts afresh",
        "an untrusted removal of a trusted one",
        "a trusted removal",
        "trusted attributes first",
        "a trusted removal forgets untrusted attributes",
    ],
)
@pytest.mark.parametrize("arrival", [1, -1], ids=["in order", "out of order"])
def test_the_last_word_on_a_relationship_wins(writes, attributes, arrival):
    assert shown(join(writes[::arrival])).relationships.get(ACME) == attributes


def test_of_two_messages_of_one_moment_and_id_the_trusted_one_is_the_later():
    same: dict[str, Any] = {"id": "u", "message_id": "m"}
    claimed = written(relate("acme", **same, source="b", role="owner"))
    removed = written(relate("acme", **same, source="a", trusted=True, present=False))
    renewed = written(relate("acme", **same, source="b", trusted=True))

    assert shown(join([claimed, removed, renewed])).relationships == {ACME: {}}


def test_a_relationships_attribute_is_removed_by_none():
    said = Relation(object=ACME, attributes={"role": None})
    none = written(message(Type.RELATE, id="u", at=2, relations=(said,)))

    assert shown(join([relates(1, role="admin"), none])).relationships == {ACME: {}}


def test_one_message_may_name_an_object_twice():
    changes = (
        Relation(object=ACME, attributes={"role": "admin"}),
        Relation(object=ACME, attributes={"seat": 4}),
    )
    said = message(Type.RELATE, id="u", relations=changes)

    assert shown(written(said)).relationships == {ACME: {"role": "admin", "seat": 4}}


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ([{"role": "admin"}, {"role": "owner"}], {ACME: {"role": "owner"}}),
        ([None, {"role": "owner"}], {ACME: {"role": "owner"}}),
        ([{"role": "admin"}, None, {"seat": 4}], {ACME: {"seat": 4}}),
        ([{"role": "admin"}, None], {}),
    ],
    ids=["said twice", "ended, then related", "related anew", "ended last"],
)
def test_what_one_message_says_last_of_an_object_counts(changes, left):
    relations = tuple(
        Relation(object=ACME, present=about is not None, attributes=about or {})
        for about in changes
    )
    said = message(Type.RELATE, id="u", relations=relations)

    assert shown(written(said)).relationships == left


# Which email is shown (R9)


@pytest.mark.parametrize(
    ("writes", "email"),
    [
        ([], None),
        ([calls(1, "a@x.org")], "a@x.org"),
        ([calls(1, "a@x.org"), calls(2, "b@x.org")], "a@x.org"),
        ([calls(1, "a@x.org", trusted=True), calls(2, "b@x.org", trusted=True)], "b@x.org"),
        ([calls(1, "a@x.org"), calls(2, "b@x.org", trusted=True)], "b@x.org"),
        ([calls(1, "a@x.org", trusted=True), calls(2, "b@x.org")], "a@x.org"),
        ([calls(1, "others@x.org"), calls(2, "b@x.org")], "b@x.org"),
        ([calls(1, "a@x.org"), calls(2, "b@x.org"), calls(3, "a@x.org")], "a@x.org"),
    ],
    ids=[
        "none",
        "one",
        "untrusted ones only set",
        "trusted ones change",
        "a trusted one after",
        "a trusted one before",
        "not another's",
        "said again",
    ],
)
def test_the_latest_proven_email_is_shown_else_the_first(writes, email):
    assert shown_email(join(writes), {"a@x.org", "b@x.org"}) == email


# Joining

numbers = st.integers(0, 3)
documents = st.one_of(
    st.builds(
        lambda at, trusted, plan, number: written(
            identify(
                id="u",
                at=at,
                trusted=trusted,
                properties={"plan": plan},
                message_id=f"{at}{trusted}{plan}{number}",
            )
        ),
        numbers,
        st.booleans(),
        st.sampled_from([None, 1, 2]),
        numbers,
    ),
    st.builds(
        lambda at, trusted, present, role: written(
            relate(
                "acme",
                id="u",
                at=at,
                trusted=trusted,
                present=present,
                role=role if present else None,
                message_id=f"{at}{trusted}{present}{role}",
            )
        ),
        numbers,
        st.booleans(),
        st.booleans(),
        numbers,
    ),
    st.builds(
        lambda at, trusted, email: written(
            identify(
                id="u",
                email=f"{email}@x.org",
                at=at,
                trusted=trusted,
                message_id=f"{at}{trusted}{email}",
            )
        ),
        numbers,
        st.booleans(),
        st.sampled_from("ab"),
    ),
)
joined = st.lists(documents, max_size=5).map(join)


@given(joined, joined)
def test_joining_is_commutative(one, other):
    assert join([one, other]) == join([other, one])


@given(joined, joined, joined)
def test_joining_is_associative(one, other, third):
    assert join([join([one, other]), third]) == join([one, join([other, third])])


@given(joined)
def test_joining_is_idempotent(one):
    assert join([one, one]) == one == join([one])


@given(st.lists(documents, max_size=6), st.randoms())
def test_no_order_and_no_repetition_shows_anything_else(writes, random):
    shuffled = [*writes, *writes[:2]]
    random.shuffle(shuffled)

    assert shown(join(shuffled)) == shown(join(writes))


WRITES = st.lists(
    st.builds(
        lambda name, at, trusted, gone, related: written(
            relate(name, id="u", at=at, trusted=trusted, present=not gone, role=name)
            if related
            else identify(id="u", at=at, trusted=trusted, properties={name: None if gone else at})
        ),
        st.sampled_from("abcdef"),
        st.integers(1, 4),
        st.booleans(),
        st.booleans(),
        st.booleans(),
    ),
    max_size=12,
)


@given(writes=WRITES, data=st.data())
def test_what_has_room_is_the_same_in_whatever_order_it_came(writes, data):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registers, "MOST_CLAIMED", 2)
        at_once = bounded(join(writes))
        one_by_one = bounded(join([]))
        for write in data.draw(st.permutations(writes)):
            one_by_one = bounded(join([one_by_one, write, write]))

    assert one_by_one == at_once


@given(writes=WRITES)
def test_what_is_proven_has_room_whatever_is_claimed(writes):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registers, "MOST_CLAIMED", 0)
        kept = shown(bounded(join(writes)))

    everything = shown(join(writes))
    proven = {name for name, from_ in everything.provenance.items() if from_["trusted"]}
    assert kept.attributes == {name: everything.attributes[name] for name in proven}
