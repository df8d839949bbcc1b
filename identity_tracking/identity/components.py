"""Who is one person: leads that followed their email, and people whom live merges joined.

Writes ``Person.root``, always one step deep. Locks people's rows, a component's all, in key order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from itertools import chain
from uuid import UUID

from identity_tracking.identifiers import Kind
from identity_tracking.identity.merging import Merge, roots
from identity_tracking.identity.rows import Vanished
from identity_tracking.messages import microseconds
from identity_tracking.models import Claim, MergeOperation, Ownership, Person
from identity_tracking.models.identifier import END
from identity_tracking.models.operation import naming


@dataclass(kw_only=True, slots=True)
class Component:
    """Everybody whom live merges and emails connect, locked, and who they come to be."""

    people: dict[UUID, Person] = field(default_factory=dict)
    follows: dict[UUID, UUID] = field(default_factory=dict)  # a lead: whose its email is now
    unproven: set[UUID] = field(default_factory=set)  # leads that follow an unproven claim
    operations: dict[UUID, MergeOperation] = field(default_factory=dict)
    regrouped: set[UUID] = field(default_factory=set)  # who is somebody else than before

    @property
    def merges(self) -> list[Merge]:
        """The merges, of whom each anchor means now."""
        return [
            Merge(
                not self.unproven.isdisjoint((operation.primary_id, operation.secondary_id)),
                microseconds(operation.at),
                operation.pk,
                self.meant(operation.primary_id),
                self.meant(operation.secondary_id),
            )
            for operation in self.operations.values()
        ]

    @property
    def ids(self) -> set[UUID]:
        """Who is known by an id."""
        return {key for key, person in self.people.items() if person.own.kind is Kind.ID}

    @property
    def named(self) -> set[UUID]:
        """Whom leads and operations name."""
        sides = ((one.primary_id, one.secondary_id) for one in self.operations.values())
        return {*self.follows.values(), *chain.from_iterable(sides)}

    @property
    def were_joined(self) -> bool:
        """Whether a merge, that may be gone by now, made somebody part of another."""
        parts = {key: one.root_id for key, one in self.people.items() if one.root_id}
        return any(self.meant(key) != root for key, root in parts.items())

    def meant(self, key: UUID) -> UUID:
        return self.follows.get(key, key)

    def renamed(self, key: UUID, names: Collection[str]) -> str | None:
        """Return which of ``names`` a message gave somebody last, in the stead of their own."""
        given = [
            (one.at, one.pk, self.people[one.secondary_id].own.value)
            for one in self.operations.values()
            if one.primary_id == key and one.activity_id
        ]
        return max((one for one in given if one[2] in names), default=(None, None, None))[2]

    def roots(self) -> dict[UUID, UUID]:
        """Return for each row who it is."""
        standing = (key for key in self.people if key not in self.follows)
        root = roots(standing, self.merges, self.ids)
        return {key: root[self.meant(key)] for key in self.people}


def component_of(seed: Iterable[UUID], using: str, *, seen: Collection[UUID] = ()) -> Component:
    """Lock and return everybody connected to ``seed``.

    Where there are merges it looks before it locks: so it nearly always locks all at once, in
    key order, and whom somebody connects meanwhile after them. ``seen``: who is locked as well.
    """
    if MergeOperation.objects.using(using).exists():
        seed = _connected(seed, using, lock=False).people
    if seen:
        Person.objects.using(using).locked({*seed, *seen})
    return _connected(seed, using, lock=True)


def _connected(seed: Iterable[UUID], using: str, *, lock: bool) -> Component:
    people = Person.objects.using(using)
    found = Component()
    fresh, asked = set(seed), set[UUID]()
    while fresh:
        asked |= fresh  # also for who is no more
        found.people |= people.locked(fresh) if lock else people.in_bulk(fresh)
        found.follows |= _owners_of_leads(fresh, using)
        neighbours = {found.meant(key) for key in fresh & found.people.keys()}
        if found.were_joined or MergeOperation.objects.using(using).exists():  # under the lock
            neighbours |= _leads_of(fresh, using)
            for operation in MergeOperation.objects.using(using).live().filter(naming(fresh)):
                found.operations[operation.pk] = operation
                neighbours |= {operation.primary_id, operation.secondary_id}
        fresh = neighbours - asked
    if lock and found.named - found.people.keys():
        raise Vanished
    if found.operations and found.follows:
        proven = Claim.objects.using(using).standing().filter(weak__in=found.follows, firm=True)
        found.unproven = found.follows.keys() - set(proven.values_list("weak", flat=True))
    return found


def regroup(seed: Collection[UUID], using: str, *, seen: Collection[UUID] = ()) -> Component:
    """Write anew who is whom among everybody connected to ``seed``."""
    component = component_of(seed, using, seen=seen)
    for key, root in sorted(component.roots().items()):
        person = component.people[key]
        wanted = None if root == key else root
        if person.root_id != wanted:
            person.root_id = wanted
            component.regrouped.add(key)
            Person.objects.using(using).filter(pk=key).update(root=wanted)
    return component


def _owners_of_leads(keys: Collection[UUID], using: str) -> dict[UUID, UUID]:
    latest = Ownership.objects.using(using).filter(
        identifier__in=keys, identifier__kind=Kind.EMAIL, until=END
    )
    rows = latest.values_list("identifier", "person")
    return {lead: owner for lead, owner in rows if lead != owner}


def _leads_of(keys: Collection[UUID], using: str) -> set[UUID]:
    rows = Ownership.objects.using(using).filter(
        person__in=keys, identifier__kind=Kind.EMAIL, until=END
    )
    return set(rows.values_list("identifier", flat=True))
