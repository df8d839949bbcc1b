"""What is shown of a person, computed anew from all they own and stored on their row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from identity_tracking.exceptions import InvalidMessage
from identity_tracking.identifiers import Kind
from identity_tracking.identity.components import Component, regroup
from identity_tracking.identity.merging import Layer, Merge, layers
from identity_tracking.identity.registers import (
    Registers,
    Shown,
    fill,
    join,
    shown,
    shown_email,
    written,
)
from identity_tracking.identity.rules import Change
from identity_tracking.messages import WRITING, ObjectRef, moment
from identity_tracking.models import Activity, Identifier, ObjectRelationship, Ownership, Person
from identity_tracking.models.activity import earliest_and_latest
from identity_tracking.models.identifier import BEGINNING, END
from identity_tracking.models.person import owner_of
from identity_tracking.payloads import Json


def refresh(changed: Mapping[UUID, Sequence[Change]], heads: Collection[UUID], using: str) -> None:
    """Bring up to date everybody whom ``changed`` ownership, or ``heads`` that wrote, concern.

    Locks people's rows in key order. Safe to repeat.
    """
    moved = {key: moves for key, moves in changed.items() if moves}
    concerned = {
        person
        for moves in moved.values()
        for change in moves
        for person in (change.before, change.now)
        if person
    }
    if heads:
        owned = Ownership.objects.using(using).filter(identifier__in=heads)
        concerned |= set(owned.values_list("person", flat=True))
    component = regroup(concerned | moved.keys(), using)
    _show_all(component, using)
    _see(moved, component.people, using)
    _show_visitors({*moved, *heads} - component.people.keys(), using)


def regrouped(keys: Collection[UUID], using: str) -> None:
    """Bring up to date everybody connected to ``keys``, whom a merge joined or an undo parted."""
    component = regroup(keys, using)
    _show_all(component, using)
    for person in component.people.values():
        if person.root_id is None:
            _see_anew(person, using)


def _show_all(component: Component, using: str) -> None:
    for key, person in sorted(component.people.items()):
        if person.root_id is None:
            _show(person, component, using)
        else:
            _relate(key, {}, using)


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
    for row in rows:
        documents[row.person_id].append(_document(row, using))
    merges = [merge for merge in component.merges if {merge.primary, merge.secondary} <= mine]
    layered = layers(person.pk, {key: join(told) for key, told in documents.items()}, merges)
    result = _folded(layered)
    emails = {row.identifier.value for row in rows if row.identifier.kind == Kind.EMAIL}
    attributes = dict(result.attributes)
    values: dict[str, Json] = {
        "attributes": attributes,
        "provenance": result.provenance,
        "claimed": result.claimed,
        "created_at": _read_moment(attributes.pop("created_at", None)),
        **_names(person, component, merges, layered, emails),
    }
    if any(getattr(person, name) != value for name, value in values.items()):
        Person.objects.using(using).filter(pk=person.pk).update(**values)
    _relate(person.pk, result.relationships, using)


def _folded(layered: Sequence[Layer]) -> Shown:
    """Return what layers come to: each but the first only fills what was unset."""
    first, *fillers = layered
    result = shown(first.document)
    for layer in fillers:
        fill(result, first.document, layer.document, layer.filled_at or 0)
    return result


def _names(
    person: Person,
    component: Component,
    merges: Iterable[Merge],
    layered: Sequence[Layer],
    owned: Collection[str],
) -> dict[str, str | None]:
    """Return the id and email to show: the person's own, else those of whom merges brought."""
    joined = [component.people[key] for merge in sorted(merges) for key in (merge[2:])]
    ids = (one.own_id for one in (person, *joined))
    told = (shown_email(layer.document, owned) for layer in layered)
    leads = (one.email for one in (person, *joined) if one.own_id is None)
    emails = (*told, *leads) if person.own_id else leads
    return {
        "user_id": next((id for id in ids if id), None),
        "email": next((email for email in emails if email), None),
    }


def _document(row: Ownership, using: str) -> Registers:
    """Return what an identifier wrote while it was this owner's."""
    if row.is_whole or not row.identifier.registers:
        return row.identifier.registers or {}
    activities = Activity.objects.using(using).filter(
        identifier=row.identifier,
        timestamp__gte=row.since,
        timestamp__lt=row.until,
        type__in=WRITING,
    )
    return join(written(one.as_message()) for one in activities.select_related("identifier"))


def _relate(holder: UUID, wanted: Mapping[ObjectRef, Mapping[str, Json]], using: str) -> None:
    """Make the relationship rows of a person or visitor what the registers say."""
    relationships = ObjectRelationship.objects.using(using)
    by_key = {ref.key: attributes for ref, attributes in wanted.items()}
    have = {row.object_id: row for row in relationships.filter(identifier=holder)}
    if gone := [row.pk for key, row in have.items() if key not in by_key]:
        relationships.filter(pk__in=gone).delete()
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
        _relate(visitor.pk, shown(_left(visitor, using)).relationships, using)


def _left(visitor: Identifier, using: str) -> Registers:
    """Return what a visitor wrote while it was nobody's."""
    rows = Ownership.objects.using(using).filter(identifier=visitor)
    stretches = rows.select_related("identifier", "person__root", "after__root")
    if not stretches:
        return visitor.registers or {}
    return join(_document(row, using) for row in stretches if owner_of(row) is None)


def _see(moved: Mapping[UUID, Sequence[Change]], people: Mapping[UUID, Person], using: str) -> None:
    """Widen first and last seen by the history that people gained; recompute who lost some."""
    losers = set()
    for identifier, moves in moved.items():
        for change in moves:
            gainer, loser = _root(change.now, people), _root(change.before, people)
            if gainer:
                times = earliest_and_latest(identifier, *change.span, using=using)
                Person.objects.using(using).touch(gainer, times)
            if loser and loser != gainer:
                losers.add(loser)
    for key in sorted(losers):
        _see_anew(people[key], using)


def _see_anew(person: Person, using: str) -> None:
    times = [
        time
        for row in Ownership.objects.using(using).of(person.component)
        for time in earliest_and_latest(row.identifier_id, row.since, row.until, using=using)
    ]
    if times:
        seen = {"first_seen": min(times), "last_seen": max(times)}
        Person.objects.using(using).filter(pk=person.pk).update(**seen)


def _root(key: UUID | None, people: Mapping[UUID, Person]) -> UUID | None:
    return (people[key].root_id or key) if key else None


def _read_moment(value: Json) -> datetime | None:
    """Return the time that ``value`` is, if every time zone can show it."""
    try:
        read = moment(value)
    except InvalidMessage:
        return None
    return read if read and BEGINNING <= read < END else None
