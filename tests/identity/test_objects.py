"""What messages say of objects, as it is kept: whatever their order, and at what cost."""

from __future__ import annotations

import json
import threading

import pytest
from django.db import connection, connections
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity_tracking.identity.descriptions import MAX_ATTRIBUTES
from identity_tracking.ingest.process import TOO_MANY, process
from identity_tracking.messages import Description, Outcome, Relation, Type, object_ref
from identity_tracking.models import Activity, FailedEvent, ObjectRelationship, TrackedObject
from tests.comparing import undone
from tests.costs import cost
from tests.saying import hour, message, person

pytestmark = pytest.mark.django_db

ACME = object_ref("company", "acme")


def group(of=ACME, *, id="u", trusted=True, **rest):
    traits = rest.pop("traits", {"plan": "pro"})
    relations = (Relation(object=of),)
    return message(
        Type.GROUP, id=id, relations=relations, properties=traits, trusted=trusted, **rest
    )


def described(of=ACME, *, at=0, present=True, **attributes):
    order = group(of, at=at).order
    return Description(
        object=of, order=order, received_at=hour(at), attributes=attributes, present=present
    )


def found(of=ACME):
    return TrackedObject.objects.get(pk=of.key)


def test_a_group_describes_the_object_that_it_is():
    process([group(traits={"plan": "pro", "seats": 4}, at=1)])
    process([group(id="v", traits={"seats": None, "city": "Bern"}, at=2)])

    assert found().attributes == {"plan": "pro", "city": "Bern"}
    assert person(id="v").relationships.get().object == found()


def test_a_repeated_message_describes_nothing_else():
    process([group(traits={"plan": "pro"}, message_id="m")])
    process([group(traits={"plan": "free"}, message_id="m")])

    assert found().attributes == {"plan": "pro"}


def test_an_object_is_described_by_nobody_as_well():
    assert process([], described=[described(plan="pro")]) == [Outcome.STORED]

    assert (found().attributes, found().created_at) == ({"plan": "pro"}, hour(0))
    assert not Activity.objects.exists()


def test_what_has_no_room_is_kept_as_failed_and_told():
    names = {f"a{number}": number for number in range(MAX_ATTRIBUTES)}
    process([], described=[described(**names)])

    said = [described(at=1, b=1), described(at=2, a0=None)]
    outcomes = process([group(traits={"c": 1}, at=3)], described=said)

    assert outcomes == [Outcome.STORED, Outcome.REFUSED, Outcome.STORED]
    assert set(found().attributes) == set(names) - {"a0"}
    failed = FailedEvent.objects.order_by("pk")
    assert [one.code for one in failed] == [TOO_MANY, TOO_MANY]
    assert json.loads(failed[0].payload)["attributes"] == {"c": 1}
    assert ObjectRelationship.objects.count() == 1


def test_a_deleted_object_is_listed_only_if_somebody_relates_to_it():
    process([], described=[described(plan="pro"), described(at=1, present=False)])
    assert not TrackedObject.objects.standing().exists()
    assert (found().attributes, found().deleted_at) == ({}, hour(1))

    process([group(traits={}, at=2)])
    assert TrackedObject.objects.standing().get() == found()


said = st.builds(
    lambda at, trusted, who, of, traits: group(
        object_ref("company", of),
        at=at,
        trusted=trusted,
        id=who,
        traits=traits,
        message_id=f"{at}{trusted}{who}{of}{sorted(traits.items(), key=str)}",
    ),
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from("uv"),
    st.sampled_from("ab"),
    st.dictionaries(st.sampled_from(["plan", "city"]), st.sampled_from([None, 1, 2]), min_size=1),
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=st.lists(said, max_size=6), random=st.randoms())
def test_no_order_batch_or_repetition_describes_anything_else(told, random):
    with undone():
        process(told)
        wanted = sorted(TrackedObject.objects.values_list("pk", "attributes", "registers"))

    shuffled = [*told, *told[:2]]
    random.shuffle(shuffled)
    with undone():
        while shuffled:
            size = random.randint(1, 3)
            process(shuffled[:size])
            del shuffled[:size]
        assert sorted(TrackedObject.objects.values_list("pk", "attributes", "registers")) == wanted


def test_a_description_costs_the_same_whatever_is_known():
    process([group(), *(group(id=f"u{number}", at=number) for number in range(3))])
    few = cost(lambda: process([], described=[described(at=10, plan="free")]))
    process([group(id=f"w{number}", traits={f"a{number}": 1}) for number in range(60)])

    many = cost(lambda: process([], described=[described(at=11, plan="pro")]))

    assert many == few
    assert (few.queries, few.rows) <= (5, 1)


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_who_describes_the_same_objects_at_once_waits_and_is_not_refused():
    objects = [object_ref("company", name) for name in "abc"]
    process([group(one) for one in objects])
    start = threading.Barrier(4)
    failed: list[Exception] = []

    def work(number):
        start.wait(10)
        try:
            for turn in range(15):
                mine = objects[:: 1 if number % 2 else -1]
                traits = {f"t{number}": turn}
                process([group(one, id=f"u{number}", at=turn, traits=traits) for one in mine])
        except Exception as error:  # noqa: BLE001 told by the thread that asks
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[number]) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)

    assert failed == []
    wanted = {"plan": "pro", **{f"t{number}": 14 for number in range(4)}}
    assert [found(one).attributes for one in objects] == [wanted] * 3
    assert connection.vendor != "sqlite"
