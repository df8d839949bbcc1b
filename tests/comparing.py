"""Comparing the package with the reference model: messages said to both, and what each came to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from uuid import UUID

from django.db import transaction

from identity_tracking.conf import conf
from identity_tracking.identifiers import Kind, Ref, names
from identity_tracking.messages import EPOCH, Message, Relation, Type, object_ref
from identity_tracking.models import (
    Activity,
    Conflict,
    MergeOperation,
    ObjectRelationship,
    Ownership,
    Person,
)
from tests.reference import Also, Graph, Key, Name, Reference, Said


def moment_of(time: int) -> datetime:
    return EPOCH + timedelta(microseconds=time)


def as_message(one: Said) -> Message:
    at = moment_of(one.time)
    called = names(id=one.id, email=one.email, anonymous_id=one.anonymous_id)
    return Message(
        type=Type(one.type),
        names=replace(called, also=tuple(ref_of(also.name) for also in one.also)),
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
        assigns={name: name for name, _ in one.attributes} if one.type == "form" else {},
        previous=Ref(Kind.ANONYMOUS_ID, one.previous) if one.previous else None,
        restamped=one.restamped,
    )


def ref_of(name: Name) -> Ref:
    kind, value = name
    return Ref(Kind[kind.upper()], value)


def key_of(name: Name) -> UUID:
    """The primary key of an identifier, and of who is anchored at it."""
    return ref_of(name).key


def name_of(person: Person | None) -> Name | None:
    return anchored(person.anchor.ref) if person else None


def anchored(ref: Ref) -> Name:
    return ref.kind.name.lower(), ref.value


def said_as(activity: Activity) -> Key:
    return activity.source, activity.trusted, activity.message_id


def kept() -> Graph:
    """What the package's public interface says of the people in the database."""
    graph = Graph()
    for activity in Activity.objects.with_person():
        graph.owner[said_as(activity)] = name_of(activity.person)
    for person in Person.objects.standing().select_related("anchor"):
        one = anchored(person.anchor.ref)
        graph.people.add(one)
        graph.id[one] = person.user_id
        graph.email[one] = person.email
        graph.attributes[one] = person.attributes
        graph.claimed[one] = {key: told["value"] for key, told in person.claimed.items()}
    for row in ObjectRelationship.objects.select_related("identifier", "object"):
        holder = anchored(row.identifier.ref)
        graph.relationships.setdefault(holder, {})[row.object.object_id] = row.attributes
    for conflict in Conflict.objects.select_related("identifier", "other", "activity"):
        other = conflict.other.value if conflict.other else None
        about = said_as(conflict.activity) if conflict.activity else None
        graph.conflicts.add((conflict.code, conflict.identifier.value, other, about))
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
    assert have.conflicts == wanted.conflicts


def assert_canonical() -> None:
    """Ownership rows meet, never overlap, and neighbours differ; whom one becomes is one step."""
    rows = list(Ownership.objects.order_by("identifier", "since"))
    for one, other in pairwise(rows):
        if one.identifier_id == other.identifier_id:
            assert one.until <= other.since
            same = (one.person_id, one.after_id) == (other.person_id, other.after_id)
            assert not (same and one.until == other.since)
    assert not Person.objects.exclude(root__root=None).exists()


def assert_sound(reference: Reference) -> None:
    """Histories hold each activity once, ownership is canonical, nobody is seen wrongly."""
    owner = reference.graph().owner
    for person in Person.objects.standing().select_related("anchor"):
        history = list(person.activities)
        mine = {said_as(activity) for activity in history}
        assert mine == {key for key, who in owner.items() if who == name_of(person)}
        assert len(mine) == len(history)
        times = [activity.timestamp for activity in history]
        if times:
            assert person.first_seen <= min(times)
            assert person.last_seen >= max(times) - timedelta(seconds=conf.LAST_SEEN_EVERY)
    assert_canonical()


def with_operations(told: Iterable[Said]) -> list[Said]:
    """Put the ids of the operations that messages were into what the model knows of them."""
    rows = MergeOperation.objects.all()
    ids = {
        (said_as(row.activity), anchored(row.secondary.anchor.ref)): row.pk.hex
        for row in rows.select_related("activity", "secondary__anchor")
        if row.activity
    }
    return [
        replace(one, also=tuple(Also(name, ids.get((one.key, name), "")) for name, _ in one.also))
        for one in told
    ]


@contextmanager
def undone() -> Iterator[None]:
    """Leave the database as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
