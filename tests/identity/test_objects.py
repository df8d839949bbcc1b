"""What messages say of objects, as it is kept: whatever their order, and at what cost."""

from __future__ import annotations

import json
import threading
import time
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity_tracking.identity.descriptions import MAX_ATTRIBUTES
from identity_tracking.ingest.process import TOO_MANY, process
from identity_tracking.messages import Description, Outcome, Relation, Type, object_ref
from identity_tracking.models import Activity, FailedEvent, ObjectRelationship, TrackedObject
from tests.comparing import undone
from tests.costs import cost
from tests.saying import hour, identify, message, person, relate

pytestmark = pytest.mark.django_db

ACME = object_ref("company", "acme")


def group(of=ACME, *, id="u", trusted=True, **rest):
    traits = rest.pop("traits", {"plan": "pro"})
    relations = (Relation(object=of),)
    return message(
        Type.GROUP, id=id, relations=relations, properties=traits, trusted=trusted, **rest
    )


def described(of=ACME, *, at=0, present=True, trusted=True, **attributes):
    order = group(of, at=at, trusted=trusted).order
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


def held(*, id):
    return {f"{one.object}": one.attributes for one in person(id=id).relationships}


def test_what_was_said_before_a_deletion_and_comes_late_counts_for_nothing():
    process([], described=[described(at=5, present=False)])

    process([relate("acme", id="u", trusted=True, role="boss", at=4)])
    process([relate("globex", id="u", trusted=True, role="boss", at=4)])
    assert held(id="u") == {"company: globex": {"role": "boss"}}

    process([relate("acme", id="u", trusted=True, at=6)])
    assert held(id="u")["company: acme"] == {}


def test_an_unproven_deletion_ends_unproven_relationships_alone():
    process([relate("acme", id="u", trusted=True), relate("acme", id="v", trusted=False)])

    process([], described=[described(at=1, present=False, trusted=False)])

    assert (held(id="u"), held(id="v")) == ({"company: acme": {}}, {})


def test_after_a_proven_deletion_anybody_may_relate_to_it_anew():
    process([], described=[described(at=1, present=False)])

    process([relate("acme", id="u", trusted=False, at=2)])

    assert held(id="u") == {"company: acme": {}}


def test_a_visitors_relationship_ends_with_its_object():
    process([relate("acme", anonymous_id="x")])

    process([], described=[described(at=1, present=False)])

    assert not ObjectRelationship.objects.exists()


def test_deletions_of_before_the_column_are_noted_in_it():
    process([group(), group(object_ref("company", "globex"))])
    process([], described=[described(at=1, present=False)])
    removals = found().removals
    TrackedObject.objects.update(removals=None)

    migration = import_module("identity_tracking.migrations.0016_object_removals")
    migration.fill(apps, SimpleNamespace(connection=connection))

    assert TrackedObject.objects.get(removals__isnull=False) == found()
    assert found().removals == removals


def told(at, trusted, who, what):
    """One of all that may be said of acme, with an id of its own."""
    rest = {"at": at, "trusted": trusted, "message_id": f"{at}{trusted}{who}{what}"}
    if what == "deleted":
        order = group(**rest).order
        return Description(object=ACME, order=order, received_at=hour(at), present=False)
    if what == "claimed":
        return identify(anonymous_id="x", id="u", **rest)
    role = None if what in ("related", "ended") else what
    return relate("acme", present=what != "ended", role=role, **who, **rest)


anything = st.builds(
    told,
    st.integers(0, 3),
    st.booleans(),
    st.sampled_from([{"id": "u"}, {"anonymous_id": "x"}]),
    st.sampled_from(["deleted", "related", "ended", "boss", "clerk", "claimed"]),
)


def relationships():
    rows = ObjectRelationship.objects.select_related("identifier", "object")
    return {(str(one.identifier), str(one.object)): one.attributes for one in rows}


def say(*sayings):
    messages = [one for one in sayings if not isinstance(one, Description)]
    process(messages, described=[one for one in sayings if isinstance(one, Description)])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sayings=st.lists(anything, max_size=6), random=st.randoms())
def test_no_order_of_deletions_and_relationships_comes_to_anything_else(sayings, random):
    with undone():
        say(*sayings)
        wanted = relationships()

    shuffled = [*sayings, *sayings[:2]]
    random.shuffle(shuffled)
    with undone():
        while shuffled:
            say(*(shuffled.pop() for _ in range(min(random.randint(1, 3), len(shuffled)))))
        assert relationships() == wanted


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


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_deletion_waits_for_people_before_it_holds_their_object():
    process([group()])
    theirs = threading.Event()

    def work():
        with transaction.atomic():
            process([relate("globex", id="u", trusted=True)])
            theirs.set()
            time.sleep(1)  # for the deletion to wait for "u"
            process([], described=[described(plan="pro")])
        connections.close_all()

    other = threading.Thread(target=work)
    other.start()
    assert theirs.wait(10)
    with transaction.atomic():  # so that neither is run again: a deadlock would be an error
        process([], described=[described(at=1, present=False)])
    other.join(10)

    assert held(id="u") == {"company: globex": {}}


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("deleted_first", [True, False])
def test_a_relationship_made_while_its_object_is_deleted_ends_with_it(deleted_first):
    process([group()])
    deletion = [described(at=2, present=False)]
    related = [relate("acme", id="v", trusted=True, at=1)]
    done, other_done = threading.Event(), threading.Event()

    def work():
        with transaction.atomic():
            process(*([[], (), deletion] if deleted_first else [related]))
            done.set()
            other_done.wait(10)
        connections.close_all()

    other = threading.Thread(target=work)
    other.start()
    assert done.wait(10)
    process(*([related] if deleted_first else [[], (), deletion]))
    other_done.set()
    other.join(10)

    assert not ObjectRelationship.objects.exists()
