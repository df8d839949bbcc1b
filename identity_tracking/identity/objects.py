"""Keep what is said of objects. Locks their rows, in key order, after all else is locked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from uuid import UUID

from django.db import connections

from identity_tracking.identity.descriptions import deleted_at, fits, join, shown, without, written
from identity_tracking.identity.registers import Registers, removals
from identity_tracking.identity.rows import ensure_objects
from identity_tracking.messages import Description
from identity_tracking.models import ObjectRelationship, TrackedObject


def describe(said: Sequence[Description], using: str) -> list[bool]:
    """Join what is ``said`` into the registers of the objects; return of each whether it fitted.

    What an object has no room for is left out whole. Safe to repeat.
    """
    if not said:
        return []
    objects = _locked(said, using)
    documents = {key: one.registers or {} for key, one in objects.items()}
    fitted = []
    for one in said:
        key = one.object.key
        joined = join([documents[key], written(one)])
        fitted.append(not one.attributes or fits(joined, trusted=one.order.trusted))
        if fitted[-1]:
            documents[key] = joined
    _write(objects, documents, using)
    return fitted


def removed_among(objects: Collection[UUID], using: str) -> set[UUID]:
    """Return those of ``objects`` that were ever deleted, whether they came back or not."""
    found = TrackedObject.objects.using(using).filter(pk__in=objects, removals__isnull=False)
    return set(found.values_list("pk", flat=True))


def holders(objects: Collection[UUID], using: str) -> list[UUID]:
    """Return who relates to any of ``objects``: the identifiers that hold the relationships."""
    held = ObjectRelationship.objects.using(using).filter(object__in=objects)
    return sorted(set(held.values_list("identifier", flat=True)))


def forget(keys: Collection[UUID], is_unwanted: Callable[[str], object], using: str) -> None:
    """Drop from the registers of the objects with ``keys`` the writes that are unwanted."""
    objects = TrackedObject.objects.using(using).locked(keys)
    documents = {key: without(one.registers or {}, is_unwanted) for key, one in objects.items()}
    _write(objects, documents, using)


def _locked(said: Sequence[Description], using: str) -> dict[UUID, TrackedObject]:
    mentioned = {one.object: one.at for one in reversed(said)}
    rows = TrackedObject.objects.using(using)
    keys = {ref.key for ref in mentioned}
    if connections[using].vendor == "sqlite":
        # Nobody's row: but it is a write, so SQLite waits its turn instead of failing.
        rows.filter(pk__in=keys, object_type="").update(object_type="")
    held = rows.locked(keys)
    if missing := {ref: at for ref, at in mentioned.items() if ref.key not in held}:
        ensure_objects(missing, using)
        held = rows.locked(keys)
    return held


def _write(
    objects: Mapping[UUID, TrackedObject], documents: Mapping[UUID, Registers], using: str
) -> None:
    """Write the registers that changed, and what they come to."""
    for key in sorted(objects):
        if documents[key] != (objects[key].registers or {}):
            TrackedObject.objects.using(using).filter(pk=key).update(
                registers=documents[key],
                attributes=shown(documents[key]).attributes,
                removals=removals(documents[key]) or None,
                deleted_at=deleted_at(documents[key]),
            )
