"""Merge two known people on somebody's word, and take it back (R7, R8 of docs/identity.md)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from identity_tracking.exceptions import MergeRefused
from identity_tracking.identifiers import digest
from identity_tracking.identity import people
from identity_tracking.identity.rules import Join
from identity_tracking.messages import Message
from identity_tracking.models import MergeOperation, Person
from identity_tracking.signals import merge_undone, people_merged


def merge(
    primary: Person, secondary: Person, *, at: datetime, by: Any, reason: str, using: str
) -> MergeOperation:
    """Make ``secondary`` and ``primary`` one person, in the transaction at hand.

    Everything of the secondary's resolves to the primary; of its attributes those written
    before fill only what is unset. Locks both people and all whom merges connect to them.
    Raises MergeRefused where both are the same row, or one is no more.
    """
    if primary.pk == secondary.pk:
        raise MergeRefused("A person cannot be merged with themselves.", code="same_person")
    operation = MergeOperation.objects.using(using).create(
        primary_id=primary.pk,
        secondary_id=secondary.pk,
        at=at,
        by=name_of(by),
        reason=reason[:254],
    )
    both = {primary.pk, secondary.pk}
    if both - Person.objects.using(using).in_bulk(both).keys():
        raise MergeRefused("Who was deleted cannot be merged.", code="deleted")
    people.regrouped(both, using)
    _tell(people_merged, operation, using)
    return operation


def record_merges(merges: Iterable[tuple[Message, Join]], using: str) -> None:
    """Keep as operations what messages merged, by giving a person another id or email (R9).

    The caller brings the people up to date.
    """
    operations = [
        MergeOperation(
            pk=digest(str(message.key), str(one.secondary.key)),
            primary_id=one.primary.key,
            secondary_id=one.secondary.key,
            activity_id=message.key,
            at=message.timestamp,
        )
        for message, one in merges
    ]
    MergeOperation.objects.using(using).bulk_create(operations)
    for operation in operations:
        _tell(people_merged, operation, using)


def undo(operation: MergeOperation, *, by: Any, using: str) -> None:
    """Take ``operation`` back, in the transaction at hand. Safe to repeat.

    The people graph is as if it had never been. Locks whom ``merge`` locks.
    """
    live = MergeOperation.objects.using(using).live().filter(pk=operation.pk)
    undone = {"undone_at": datetime.now(UTC), "undone_by": name_of(by)}
    if not live.update(**undone):
        return
    for name, value in undone.items():
        setattr(operation, name, value)
    people.regrouped({operation.primary_id, operation.secondary_id}, using)
    _tell(merge_undone, operation, using)


def _tell(signal: Signal, operation: MergeOperation, using: str) -> None:
    transaction.on_commit(
        lambda: signal.send_robust(MergeOperation, operation=operation), using=using
    )


def name_of(by: Any) -> str:
    """Return who did it, as it is kept: the key of a user, or what was given."""
    return str(getattr(by, "pk", by) or "")[:150]
