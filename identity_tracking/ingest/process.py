"""Process messages: store each once, settle who is who, tell after commit."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from uuid import UUID

from django.db import connections, transaction

from identity_tracking.identity.objects import describe, removed_among
from identity_tracking.identity.rows import date_back, ensure, find, late_among, sightings, touch
from identity_tracking.identity.settle import end_relationships, hold_related, reread, settle
from identity_tracking.ingest.addressing import address
from identity_tracking.ingest.transaction import database, in_transaction, reachable
from identity_tracking.messages import IDENTIFYING, Description, Message, Outcome
from identity_tracking.models import Activity, FailedEvent, Person
from identity_tracking.models.removal import remove
from identity_tracking.payloads import printable
from identity_tracking.privacy.suppression import suppressed
from identity_tracking.signals import activity_recorded, person_identified

TOO_MANY = "too_many_attributes"  # the code of what an object has no room for


def process(
    messages: Sequence[Message],
    failed: Sequence[FailedEvent] = (),
    described: Sequence[Description] = (),
) -> list[Outcome]:
    """Store ``messages`` in one transaction and return what became of each, in their order.

    When it returns outside a caller's transaction, all of it is committed. ``failed`` holds
    what came with them and could not be accepted; it is kept in the same transaction. Safe to
    repeat: a message is stored once. Of a message that names somebody who was erased nothing is
    kept. ``described``: what is said of objects by nobody's message; its outcomes stand last.
    Raises Unavailable, and then nothing was stored.
    Page views and events take no lock, unless they come late; these, and messages that claim or
    write, lock as ``identity.settle`` says; then objects are locked, by ``identity.objects``.
    """
    using = database()
    with reachable(using):
        addressed = address(messages, using)
    return in_transaction(lambda: _admit(messages, addressed, failed, described, using), using)


def _admit(
    messages: Sequence[Message],
    addressed: Sequence[Message],
    failed: Sequence[FailedEvent],
    described: Sequence[Description],
    using: str,
) -> list[Outcome]:
    """Store what names nobody who was erased. ``messages``: as they came, ``addressed``: as meant.

    Asked is after the insert: so an erasure, which waits for whoever is inserting, misses nobody.
    """
    new = _insert(addressed, using)
    refused, untold = suppressed([*zip(messages, addressed, strict=True)], failed, using)
    if not (refused or untold):
        return _store(addressed, new, failed, described, using)
    remove(Activity.objects.using(using).filter(pk__in=list(new)))
    allowed = [one for index, one in enumerate(addressed) if index not in refused]
    kept = [one for index, one in enumerate(failed) if index not in untold]
    outcomes = iter(_store(allowed, _insert(allowed, using), kept, described, using))
    return [
        Outcome.SUPPRESSED if index in refused else next(outcomes)
        for index in range(len(messages) + len(described))
    ]


def _insert(messages: Sequence[Message], using: str) -> dict[UUID, Activity]:
    """Insert the messages' activities; return those that were new.

    The first statement of a transaction is a write: so SQLite waits its turn instead of failing.
    """
    activities = {key: Activity.from_message(message) for key, message in _first(messages).items()}
    new = Activity.objects.using(using).insert_new(list(activities.values()))
    return {key: activity for key, activity in activities.items() if key in new}


def _store(
    messages: Sequence[Message],
    new: Mapping[UUID, Activity],
    failed: Sequence[FailedEvent],
    described: Sequence[Description],
    using: str,
) -> list[Outcome]:
    """Settle what the ``new`` activities of ``messages`` say."""
    nobody = [_refused(message) for message in messages if not message.names.head]
    FailedEvent.objects.using(using).bulk_create([*failed, *nobody])
    fresh = [message for key, message in _first(messages).items() if key in new]
    if fresh:
        found = ensure(fresh, using)
        late = late_among(fresh, using)
        settle(fresh, using, seen=sightings(fresh, found).keys(), late=late)
        date_back(fresh, found, using)
        touch(sightings(fresh, find(fresh, using) if late else found), using)
        transaction.on_commit(
            lambda: _tell(fresh, [new[message.key] for message in fresh], using),
            using=using,
            robust=True,  # all is stored by then: what fails is logged
        )
    told = [one for message in fresh if (one := message.description)]
    deleted = {one.object.key for one in described if not one.present}
    hold_related(deleted, using)
    kept = _describe([*told, *described], using)[len(told) :]
    _end_relationships(fresh, deleted, using)
    outcomes = (Outcome.STORED if one else Outcome.REFUSED for one in kept)
    return [*_outcomes(messages, new), *outcomes]


def _describe(said: Sequence[Description], using: str) -> list[bool]:
    """Describe objects; keep as failed what one of them had no room for."""
    fitted = describe(said, using)
    failed = [_too_much(one) for one, fits in zip(said, fitted, strict=True) if not fits]
    _, untold = suppressed((), failed, using) if failed else (set(), set())
    kept = [event for index, event in enumerate(failed) if index not in untold]
    FailedEvent.objects.using(using).bulk_create(kept)
    return fitted


def _end_relationships(messages: Sequence[Message], deleted: Collection[UUID], using: str) -> None:
    """End relationships to what was deleted: now, and after the commit those made meanwhile.

    Of a deletion and a relationship made at once, whoever commits last sees the other; SQLite
    lets nobody make one meanwhile.
    """
    made = {
        (relation.object.key, message.head.key)
        for message in messages
        for relation in message.relations
        if relation.present
    }
    end_relationships(deleted, using)
    if (deleted or made) and connections[using].vendor != "sqlite":
        again = partial(_look_again, deleted, made, using)
        transaction.on_commit(again, using=using, robust=True)


def _look_again(deleted: Collection[UUID], made: Collection[tuple[UUID, UUID]], using: str) -> None:
    """``made``: the objects that messages related somebody to, each with whom."""
    removed = removed_among({object for object, _ in made}, using) if made else set()
    if whose := {head for object, head in made if object in removed}:
        in_transaction(lambda: reread(whose, using), using)
    if deleted:
        in_transaction(lambda: end_relationships(deleted, using), using)


def _too_much(said: Description) -> FailedEvent:
    type, id = said.object
    identifiers = {"object_type_id": type, "object_id": id}
    told = {"type": "object", "identifiers": identifiers, "attributes": said.attributes}
    return FailedEvent(
        code=TOO_MANY,
        payload=printable(told),
        source=said.order.source,
        trusted=said.order.trusted,
        received_at=said.received_at,
    )


def _first(messages: Sequence[Message]) -> dict[UUID, Message]:
    """Return of each message the first copy that names somebody."""
    first: dict[UUID, Message] = {}
    for message in messages:
        if message.names.head:
            first.setdefault(message.key, message)
    return first


def _refused(message: Message) -> FailedEvent:
    """Keep a message whose only identifier was a cio_id that nobody has."""
    return FailedEvent(
        code="unknown_cio_id",
        payload=printable({"type": message.type, "name": message.name, **message.properties}),
        source=message.source,
        trusted=message.trusted,
        received_at=message.received_at,
    )


def _outcomes(messages: Sequence[Message], new: Collection[UUID]) -> list[Outcome]:
    untold = set(new)
    outcomes = []
    for message in messages:
        if not message.names.head:
            outcomes.append(Outcome.REFUSED)
            continue
        outcomes.append(Outcome.STORED if message.key in untold else Outcome.DUPLICATE)
        untold.discard(message.key)
    return outcomes


def _tell(messages: Sequence[Message], activities: Sequence[Activity], using: str) -> None:
    for activity in activities:
        activity_recorded.send_robust(Activity, activity=activity)
    if not person_identified.has_listeners(Person):
        return
    for message in messages:
        if message.type not in IDENTIFYING:
            continue
        if person := Person.objects.using(using).owner(message.head, at=message.timestamp):
            person_identified.send_robust(Person, person=person, activity_id=message.key)
