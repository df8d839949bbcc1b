"""What is shown of a person, computed anew from all they own and stored on their row."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Max, Min, OuterRef, Q, Subquery

from identity_tracking.exceptions import InvalidMessage
from identity_tracking.identifiers import Kind
from identity_tracking.identity.components import Component, component_of, regroup
from identity_tracking.identity.merging import fold
from identity_tracking.identity.registers import (
    Registers,
    join,
    outliving,
    shown,
    shown_email,
    written,
)
from identity_tracking.identity.rows import Vanished
from identity_tracking.identity.rules import Change, Sides
from identity_tracking.messages import WRITING, ObjectRef, moment
from identity_tracking.models import (
    Activity,
    Identifier,
    ObjectRelationship,
    Ownership,
    Person,
    TrackedObject,
)
from identity_tracking.models.activity import earliest_and_latest
from identity_tracking.models.identifier import BEGINNING, END
from identity_tracking.models.person import owner_of
from identity_tracking.models.removal import remove
from identity_tracking.payloads import Json


def refresh(
    changed: Mapping[UUID, Sequence[Change]],
    heads: Collection[UUID],
    using: str,
    *,
    seen: Collection[UUID] = (),
) -> None:
    """Bring up to date everybody whom ``changed`` ownership, or ``heads`` that wrote, concern.

    Locks people's rows in key order, with those of who was ``seen``. Safe to repeat.
    """
    moved = {key: moves for key, moves in changed.items() if moves}
    concerned = {
        person
        for moves in moved.values()
        for change in moves
        for person in (*change.before, *change.now)
        if person
    }
    concerned |= owners(heads, using)
    component = regroup(concerned | moved.keys(), using, seen=seen)
    if concerned - component.people.keys():
        raise Vanished
    _show_all(component, using)
    _see(moved, component.people, using)
    _show_visitors({*moved, *heads} - component.people.keys(), using)
    if component.operations:
        _follow_merges(component, using)


def lock(heads: Collection[UUID], using: str) -> None:
    """Lock the rows of everybody whom ``refresh`` would bring up to date for ``heads``."""
    component_of(owners(heads, using), using)


def regrouped(keys: Collection[UUID], using: str) -> None:
    """Bring up to date everybody connected to ``keys``, whom a merge joined or an undo parted."""
    component = regroup(keys, using)
    _show_all(component, using)
    _follow_merges(component, using)


def owners(heads: Collection[UUID], using: str) -> set[UUID]:
    """Return whose ``heads`` are, or were for a while."""
    owned = Ownership.objects.using(using).filter(identifier__in=heads)
    return set(owned.values_list("person", flat=True)) if heads else set()


def _follow_merges(component: Component, using: str) -> None:
    """See anew whom merges joined or parted, and the visitors whose gaps that closed or opened."""
    if not component.regrouped:
        return
    for person in component.people.values():
        if person.root_id is None:
            _see_anew(person, using)
    sides = Q(person__in=component.regrouped) | Q(after__in=component.regrouped)
    gaps = Ownership.objects.using(using).exclude(after=None).filter(sides)
    _show_visitors(set(gaps.values_list("identifier", flat=True)), using)


def _show_all(component: Component, using: str) -> None:
    folded = [key for key, person in component.people.items() if person.root_id]
    remove(ObjectRelationship.objects.using(using).filter(identifier__in=folded))
    for _, person in sorted(component.people.items()):
        if person.root_id is None:
            _show(person, component, using)


def _show(person: Person, component: Component, using: str) -> None:
    """Store what a person's identifiers wrote, folded, on the person's row."""
    mine = {key for key, root in component.roots().items() if root == person.pk}
    rows = (
        Ownership.objects.using(using)
        .of(mine)
        .filter(Q(identifier__registers__isnull=False) | Q(identifier__kind=Kind.EMAIL))
        .select_related("identifier")
    )
    documents: dict[UUID, list[Registers]] = {key: [] for key in mine - component.follows.keys()}
    for row, document in _documents(rows, using):
        documents[row.person_id].append(document)
    merges = [merge for merge in component.merges if {merge.primary, merge.secondary} <= mine]
    wrote = _outliving({key: join(told) for key, told in documents.items()}, using)
    group = fold(wrote, merges, component.ids)[person.pk]
    result = shown(group.document)
    emails = {row.identifier.value for row in rows if row.identifier.kind == Kind.EMAIL}
    attributes = dict(result.attributes)
    values: dict[str, Json] = {
        "attributes": attributes,
        "provenance": result.provenance,
        "claimed": result.claimed,
        "created_at": _read_moment(attributes.pop("created_at", None)),
        **_names(group.people, wrote, component, emails),
    }
    if any(getattr(person, name) != value for name, value in values.items()):
        Person.objects.using(using).filter(pk=person.pk).update(**values)
    _relate(person.pk, result.relationships, using)


def _names(
    group: Sequence[UUID],
    wrote: Mapping[UUID, Registers],
    component: Component,
    owned: Collection[str],
) -> dict[str, str | None]:
    """Return the id and email to show: the first person's own, else the first of the others'."""
    ids = {component.people[key].own.value for key in group if key in component.ids}
    names: dict[Kind, list[str]] = {Kind.ID: [], Kind.EMAIL: []}
    for key in group:
        own = component.people[key].own
        others = ids if own.kind is Kind.ID else owned
        names[own.kind].append(component.renamed(key, others) or own.value)
        if own.kind is Kind.ID and (email := shown_email(wrote[key], owned)):
            names[Kind.EMAIL].append(email)
    return {
        "user_id": next(iter(names[Kind.ID]), None),
        "email": next(iter(names[Kind.EMAIL]), None),
    }


def _documents(stretches: Iterable[Ownership], using: str) -> Iterator[tuple[Ownership, Registers]]:
    """Return with each of ``stretches`` what its identifier wrote in it; asks once at most."""
    writing = [row for row in stretches if row.identifier.registers]
    parts = {row.identifier_id for row in writing if not row.is_whole}
    said = Activity.objects.using(using).filter(identifier__in=parts, type__in=WRITING)
    wrote: dict[UUID, list[Activity]] = defaultdict(list)
    for activity in said.select_related("identifier") if parts else ():
        wrote[activity.identifier_id].append(activity)
    for row in writing:
        if row.is_whole:
            yield row, row.identifier.registers or {}
        else:
            within = (one for one in wrote[row.identifier_id] if row.holds(one.timestamp))
            yield row, join(written(one.as_message()) for one in within)


def _outliving(wrote: Mapping[UUID, Registers], using: str) -> dict[UUID, Registers]:
    """Return what was written of relationships since their objects were deleted, if ever."""
    keys = {key for document in wrote.values() for key in document.get("r", {})}
    if not keys:
        return dict(wrote)
    objects = {ObjectRef(*json.loads(key)).key: key for key in keys}
    deleted = TrackedObject.objects.using(using).filter(pk__in=objects, removals__isnull=False)
    removed = {objects[one.pk]: one.removals or {} for one in deleted.only("removals")}
    return {key: outliving(document, removed) for key, document in wrote.items()}


def _relate(holder: UUID, wanted: Mapping[ObjectRef, Mapping[str, Json]], using: str) -> None:
    """Make the relationship rows of a person or visitor what the registers say."""
    relationships = ObjectRelationship.objects.using(using)
    by_key = {ref.key: attributes for ref, attributes in wanted.items()}
    have = {row.object_id: row for row in relationships.filter(identifier=holder)}
    if gone := [row.pk for key, row in have.items() if key not in by_key]:
        remove(relationships.filter(pk__in=gone))
    for key, row in have.items():
        if key in by_key and row.attributes != by_key[key]:
            relationships.filter(pk=row.pk).update(attributes=by_key[key])
    new = [
        ObjectRelationship(identifier_id=holder, object_id=key, attributes=attributes)
        for key, attributes in by_key.items()
        if key not in have
    ]
    relationships.bulk_create(new)


def _show_visitors(keys: Collection[UUID], using: str) -> None:
    """Give visitors the relationships of what is nobody's; those of the rest went to people."""
    visitors = Identifier.objects.using(using).visitors().filter(pk__in=keys)
    for visitor in visitors.filter(registers__isnull=False).order_by("pk"):
        wrote = _outliving({visitor.pk: _left(visitor, using)}, using)
        _relate(visitor.pk, shown(wrote[visitor.pk]).relationships, using)


def _left(visitor: Identifier, using: str) -> Registers:
    """Return what a visitor wrote while it was nobody's."""
    rows = Ownership.objects.using(using).filter(identifier=visitor)
    stretches = rows.select_related("identifier", "person__root", "after__root")
    if not stretches:
        return visitor.registers or {}
    unowned = [row for row in stretches if owner_of(row) is None]
    if (first := min(row.since for row in stretches)) > BEGINNING:  # LOOK_BACK left the rest
        unowned.append(Ownership(identifier=visitor, since=BEGINNING, until=first))
    return join(document for _, document in _documents(unowned, using))


def _see(moved: Mapping[UUID, Sequence[Change]], people: Mapping[UUID, Person], using: str) -> None:
    """Widen first and last seen by the history that people gained; recompute who lost some."""
    losers = set()
    for identifier, moves in moved.items():
        for change in moves:
            gainer, loser = _whose(change.now, people), _whose(change.before, people)
            if gainer:
                times = earliest_and_latest(identifier, *change.span, using=using)
                Person.objects.using(using).touch(gainer, times)
            if loser and loser != gainer:
                losers.add(loser)
    for key in sorted(losers):
        _see_anew(people[key], using)


def _see_anew(person: Person, using: str) -> None:
    """See somebody anew by all their stretches: of each the first and the last, by the index."""
    anchor = Identifier.objects.using(using).get(pk=person.pk)
    done = Activity.objects.using(using).filter(
        identifier=OuterRef("identifier"),
        timestamp__gte=OuterRef("since"),
        timestamp__lt=OuterRef("until"),
    )
    first, last = (
        Subquery(done.order_by(order).values("timestamp")[:1])
        for order in ("timestamp", "-timestamp")
    )
    stretches = Ownership.objects.using(using).of(person.component)
    ends = stretches.annotate(first=first, last=last).aggregate(Min("first"), Max("last"))
    times = [anchor.created_at, *(time for time in ends.values() if time)]
    seen = {"first_seen": min(times), "last_seen": max(times)}
    Person.objects.using(using).filter(pk=person.pk).update(**seen)


def _whose(sides: Sides, people: Mapping[UUID, Person]) -> UUID | None:
    """Return whose a stretch is; a gap is somebody's if both its sides are one by now."""
    one, *other = {people[key].root_id or key for key in sides if key} or {None}
    return None if other else one


def _read_moment(value: Json) -> datetime | None:
    """Return the time that ``value`` is, if every time zone can show it."""
    try:
        read = moment(value)
    except InvalidMessage:
        return None
    return read if read and BEGINNING <= read < END else None
