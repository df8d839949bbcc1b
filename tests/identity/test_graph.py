"""The package against the reference model, after every batch, merge and undo of arbitrary ones.

``GRAPHS=10000 pytest tests/identity/test_graph.py`` tries that many sets.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from django.db import transaction
from hypothesis import event, given, settings
from hypothesis import strategies as st

from identity_tracking.conf import conf
from identity_tracking.identifiers import Kind, Ref, names
from identity_tracking.identity import merge as merging
from identity_tracking.ingest.process import process
from identity_tracking.messages import Message, Relation, Type, microseconds, object_ref
from identity_tracking.models import (
    Activity,
    Conflict,
    MergeOperation,
    ObjectRelationship,
    Ownership,
    Person,
)
from tests.reference import Graph, Name, Operation, Reference, Said
from tests.saying import hour

IDS = ("u", "v", "w")
EMAILS = ("a@x.org", "b@x.org", "c@x.org")
BROWSERS = ("X", "Y", "Z")
LIMIT = 2  # PEOPLE_PER_BROWSER: so few, that sets this small have kiosks
EXAMPLES = int(os.environ.get("GRAPHS", "300"))

values = st.sampled_from([1, 2, None])
writes = st.dictionaries(st.sampled_from(["plan", "city"]), values, max_size=2)
relations = st.dictionaries(
    st.sampled_from(["acme", "globex"]),
    st.tuples(st.booleans(), st.dictionaries(st.just("role"), values)),
    max_size=2,
)


@st.composite
def said(draw: st.DrawFn, number: int) -> Said:
    type = draw(
        st.sampled_from(["identify", "identify", "identify", "track", "page", "alias", "relate"])
    )
    wild = type in {"identify", "relate"}
    trusted = draw(st.booleans())
    id = draw(st.sampled_from([None, *IDS]))
    email = draw(st.sampled_from([None, *EMAILS]))
    browser = draw(st.sampled_from([None, *BROWSERS]))
    return Said(
        type=type,
        time=microseconds(hour(draw(st.integers(0, 7)))),
        message_id=f"m{number}",
        trusted=trusted,
        email_trusted=trusted and draw(st.booleans()),
        id=id,
        email=email,
        anonymous_id=browser if browser or id or email else "X",
        previous=draw(st.sampled_from(BROWSERS)) if type == "alias" else None,
        attributes=tuple(draw(writes).items()) if type == "identify" else (),
        relations=tuple(
            (name, adds, tuple(given.items()) if adds else ())
            for name, (adds, given) in draw(relations).items()
        )
        if wild
        else (),
    )


@dataclass(frozen=True)
class Merge:
    """One person is another, said at a time; or, without people, the merge ``number`` is undone."""

    number: int
    at: int = 0
    people: tuple[Name, Name] | None = None


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Said]]:
    """Messages, some of them twice, in any order and in any batches."""
    size = draw(st.integers(1, 12))
    messages = [draw(said(number)) for number in range(size)]
    sent = draw(
        st.permutations([*messages, *draw(st.lists(st.sampled_from(messages), max_size=3))])
    )
    cuts = sorted(draw(st.sets(st.integers(1, len(sent)), max_size=len(sent))) | {0, len(sent)})
    return [list(sent[one:other]) for one, other in pairwise(cuts)]


@st.composite
def histories(draw: st.DrawFn) -> list[list[Said] | Merge]:
    """Deliveries, and between them merges and undos: repeated, in circles, of leads, of nobody."""
    steps: list[list[Said] | Merge] = [*draw(deliveries())]
    anchor = st.sampled_from([*(("id", id) for id in IDS), *(("email", one) for one in EMAILS)])
    for number in range(draw(st.integers(0, 6))):
        people = draw(st.none() | st.tuples(anchor, anchor))
        at = microseconds(hour(draw(st.integers(0, 8)))) + number
        merge = Merge(number, at, people) if people else Merge(draw(st.integers(0, number)))
        steps.insert(draw(st.integers(0, len(steps))), merge)
    return steps


def as_message(one: Said) -> Message:
    at = hour(0) + timedelta(microseconds=one.time - microseconds(hour(0)))
    return Message(
        type=Type(one.type),
        names=names(id=one.id, email=one.email, anonymous_id=one.anonymous_id),
        source=one.source,
        message_id=one.message_id,
        timestamp=at,
        received_at=at,
        trusted=one.trusted,
        email_trusted=one.email_trusted,
        properties=dict(one.attributes),
        relations=tuple(
            Relation(object=object_ref("company", name), present=adds, attributes=dict(given))
            for name, adds, given in one.relations
        ),
        previous=Ref(Kind.ANONYMOUS_ID, one.previous) if one.previous else None,
    )


def name(person: Person | None):
    return person and anchored(person.anchor.ref)


def anchored(ref: Ref) -> Name:
    return ref.kind.name.lower(), ref.value


def kept() -> Graph:
    """What the package's public interface says of the people in the database."""
    graph = Graph()
    for activity in Activity.objects.with_person():
        key = activity.source, activity.trusted, activity.message_id
        graph.owner[key] = name(activity.person)
    for person in Person.objects.standing().select_related("anchor"):
        one = name(person)
        graph.people.add(one)
        graph.id[one] = person.user_id
        graph.email[one] = person.email
        graph.attributes[one] = person.attributes
        graph.claimed[one] = {key: told["value"] for key, told in person.claimed.items()}
    for row in ObjectRelationship.objects.select_related("identifier", "object"):
        holder = anchored(row.identifier.ref)
        graph.relationships.setdefault(holder, {})[row.object.object_id] = row.attributes
    for conflict in Conflict.objects.select_related("identifier"):
        graph.conflicts.add((conflict.code, conflict.identifier.value, None, None))
    return graph


def assert_same(reference: Reference) -> None:
    wanted, have = reference.graph(), kept()
    assert have.owner == wanted.owner
    assert have.people == wanted.people
    assert have.id == wanted.id
    assert have.email == wanted.email
    assert have.attributes == wanted.attributes
    assert have.claimed == wanted.claimed
    assert have.relationships == {who: held for who, held in wanted.relationships.items() if held}
    assert {one[:2] for one in have.conflicts} == {one[:2] for one in wanted.conflicts}


def assert_sound(reference: Reference) -> None:
    """Histories hold each activity once, ownership is canonical, nobody is seen wrongly."""
    owner = reference.graph().owner
    for person in Person.objects.standing():
        mine = {(one.source, one.trusted, one.message_id) for one in person.activities}
        assert mine == {key for key, who in owner.items() if who == name(person)}
        assert len(mine) == person.activities.count()
        times = [one.timestamp for one in person.activities]
        if times:
            assert person.first_seen <= min(times)
            assert person.last_seen >= max(times) - timedelta(seconds=conf.LAST_SEEN_EVERY)
    rows = list(Ownership.objects.order_by("identifier", "since"))
    for one, other in pairwise(rows):
        if one.identifier_id == other.identifier_id:
            assert one.until <= other.since
            same = (one.person_id, one.after_id) == (other.person_id, other.after_id)
            assert not (same and one.until == other.since)


@contextmanager
def undone() -> Iterator[None]:
    """Leave the database as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.django_db
@given(deliveries())
@settings(max_examples=EXAMPLES, report_multiple_bugs=False)
def test_the_graph_is_what_the_rules_say_after_every_batch(deliveries):
    reference = Reference([], people_per_browser=LIMIT)
    told = []
    with undone():
        for batch in deliveries:
            process([as_message(one) for one in batch])
            told += batch
            reference = Reference(told, people_per_browser=LIMIT)
            assert_same(reference)
        assert_sound(reference)
    tell_what_was_tried(reference, told)


@pytest.mark.django_db
@given(histories())
@settings(max_examples=EXAMPLES, report_multiple_bugs=False)
def test_merges_and_undos_are_what_the_rules_say_interleaved_with_anything(history):
    told: list[Said] = []
    operations: dict[int, Operation] = {}
    with undone():
        for step in history:
            if isinstance(step, Merge):
                operations |= carry_out(step, operations)
            else:
                process([as_message(one) for one in step])
                told += step
            reference = Reference(told, operations.values(), people_per_browser=LIMIT)
            assert_same(reference)
        assert_sound(reference)
        tell_of_merges(reference, operations)
        assert_undone_exactly(told, operations)


def carry_out(step: Merge, operations: dict[int, Operation]) -> dict[int, Operation]:
    """Do what ``step`` says, if there is anybody to do it to."""
    if step.people is None:
        return take_back(step.number, operations)
    primary, secondary = (Person.objects.filter(anchor=key_of(one)).first() for one in step.people)
    if primary is None or secondary is None or primary == secondary:
        return {}
    at = hour(0) + timedelta(microseconds=step.at - microseconds(hour(0)))
    done = merging.merge(primary, secondary, at=at, by="", reason="", using="default")
    one, other = step.people
    return {step.number: Operation(primary=one, secondary=other, at=step.at, id=done.pk.hex)}


def take_back(number: int, operations: dict[int, Operation]) -> dict[int, Operation]:
    if number not in operations:
        return {}
    MergeOperation.objects.get(pk=operations[number].id).undo()
    return {number: replace(operations[number], live=False)}


def key_of(anchor: Name) -> UUID:
    kind, value = anchor
    return Ref(Kind[kind.upper()], value).key


def assert_undone_exactly(told: list[Said], operations: dict[int, Operation]) -> None:
    """With all merges undone, everything is as if there had never been any."""
    for number in operations:
        take_back(number, operations)
    assert_same(Reference(told, people_per_browser=LIMIT))
    assert_sound(Reference(told, people_per_browser=LIMIT))


def tell_of_merges(reference: Reference, operations: dict[int, Operation]) -> None:
    live = reference.operations
    if len(reference.effective) < len(live):
        event("a merge without effect")
    if len(reference.effective) > 1:
        event("several merges")
    if len(live) < len(operations):
        event("an undo")
    if any(kind == "email" for one in live for kind, _ in (one.primary, one.secondary)):
        event("a merge of a lead")
    if live and not set(reference.groups) >= {reference.meant(one.primary) for one in live}:
        event("a chain of merges")
    if any(closed_gap(reference, one) for one in reference.messages):
        event("a closed gap")


def closed_gap(reference: Reference, message: Said) -> bool:
    alone = Reference(reference.messages, people_per_browser=LIMIT)
    return reference.owner(message) is not None and alone.owner(message) is None


def tell_what_was_tried(reference: Reference, told: list[Said]) -> None:
    claims = [one for one in told if one.type in {"identify", "alias"}]
    if any(one.time > other.time for one, other in pairwise(claims)):
        event("a late claim")
    if any(len({point.person for point in points}) > 1 for points in reference.points.values()):
        event("a contested browser")
    if reference.kiosks:
        event("a kiosk")
    for weak, claims_on in reference.claims.items():
        if weak[0] == "email" and len({claim.firm for claim in claims_on}) > 1:
            event("an email with soft and firm claims")
    for code, *_ in reference.conflicts():
        event(code)


@pytest.fixture(autouse=True)
def _small_kiosks(settings):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "PEOPLE_PER_BROWSER": LIMIT}
