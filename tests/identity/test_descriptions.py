from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from identity_tracking.identity.descriptions import (
    MAX_ATTRIBUTES,
    deleted_at,
    fits,
    join,
    shown,
    without,
    written,
)
from identity_tracking.messages import Description, Order, object_ref
from tests.saying import hour

ACME = object_ref("company", "acme")


def says(at, *, trusted=True, present=True, message_id="", **attributes):
    order = Order(int(hour(at).timestamp()) * 1_000_000, message_id or f"{at}", trusted, "shop")
    return written(
        Description(
            object=ACME,
            order=order,
            received_at=hour(at),
            attributes=attributes,
            present=present,
        )
    )


def deletes(at, **rest):
    return says(at, present=False, **rest)


@pytest.mark.parametrize(
    ("writes", "attributes"),
    [
        ([says(1)], {}),
        ([says(1, plan="pro"), says(2, plan="free")], {"plan": "free"}),
        ([says(1, plan="pro"), says(2, city="Bern")], {"plan": "pro", "city": "Bern"}),
        ([says(1, plan="pro"), says(2, plan=None)], {}),
        ([says(1, plan="pro"), says(2, plan="free", trusted=False)], {"plan": "pro"}),
        ([says(1, plan="pro"), deletes(2)], {}),
        ([says(1, plan="pro", city="Bern"), deletes(2), says(3, plan="free")], {"plan": "free"}),
        ([deletes(2), says(3, plan="free", trusted=False)], {}),
    ],
    ids=[
        "made",
        "overwritten",
        "another left alone",
        "removed",
        "trusted before untrusted",
        "deleted",
        "begun afresh",
        "not brought back by anybody",
    ],
)
@pytest.mark.parametrize("arrival", [1, -1], ids=["in order", "out of order"])
def test_an_object_is_what_was_said_last(writes, attributes, arrival):
    assert shown(join(writes[::arrival])).attributes == attributes


def test_a_value_that_lost_to_a_trusted_one_is_kept_beside_it():
    result = shown(join([says(1, plan="pro"), says(2, plan="free", trusted=False)]))

    assert result.claimed["plan"]["value"] == "free"
    assert result.provenance["plan"]["trusted"] is True


def test_an_object_is_deleted_until_it_is_described_again():
    gone = join([says(1), deletes(2)])

    assert (deleted_at(says(1)), deleted_at(gone)) == (None, hour(2))
    assert deleted_at(join([gone, says(3)])) is None


@pytest.mark.parametrize("trusted", [True, False])
def test_each_trust_has_room_for_so_many_attributes(trusted):
    full = says(1, trusted=trusted, **{f"a{n}": n for n in range(MAX_ATTRIBUTES)})
    one_more = join([full, says(2, trusted=trusted, b=1)])

    assert fits(full, trusted=trusted)
    assert not fits(one_more, trusted=trusted)
    assert fits(one_more, trusted=not trusted)
    assert fits(join([one_more, deletes(3)]), trusted=trusted)


def test_values_may_be_as_long_together_as_a_database_takes():
    assert not fits(join(says(n, **{f"a{n}": "x" * 30_000}) for n in range(20)), trusted=True)


def test_what_mentions_somebody_is_dropped_alone():
    told = join([says(1, boss="ada@x.org", plan="pro"), says(2, boss="bob", trusted=False)])

    left = shown(without(told, lambda text: "ada" in text))

    assert (left.attributes, left.claimed) == ({"boss": "bob", "plan": "pro"}, {})


numbers = st.integers(0, 3)
documents = st.builds(
    lambda at, trusted, present, plan, message_id: says(
        at,
        trusted=trusted or not present,
        present=present,
        message_id=f"{message_id}{trusted}{present}{plan}",
        **({"plan": plan} if present else {}),
    ),
    numbers,
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 1, 2]),
    numbers,
)
joined = st.lists(documents, max_size=5).map(join)


@given(joined, joined, joined)
def test_no_order_and_no_repetition_makes_other_registers(one, other, third):
    assert join([one, other]) == join([other, one])
    assert join([join([one, other]), third]) == join([one, join([other, third])])
    assert join([one, one]) == one
