"""Delete a person: take all they did and said out of the graph, as if it had never come.

Whoever remains is afterwards what the remaining messages come to. A deleted message that is
delivered again is a new one, and a later identify makes a new person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Any
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet

from identity_tracking.identifiers import Kind, Ref
from identity_tracking.identity import conflicts, people
from identity_tracking.identity.folding import EVER
from identity_tracking.identity.registers import Registers, join, without, written
from identity_tracking.identity.rows import Vanished
from identity_tracking.identity.settle import Settlement
from identity_tracking.messages import IDENTIFYING, WRITING
from identity_tracking.models import (
    Activity,
    Claim,
    Conflict,
    Identifier,
    MergeOperation,
    ObjectRelationship,
    Ownership,
    Person,
)
from identity_tracking.models.identifier import BEGINNING, END
from identity_tracking.models.operation import naming
from identity_tracking.models.removal import remove

BATCH = 1_000  # activities a statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Deleted:
    """What is no more: identifiers that nobody else used, and the cio_ids of who had them."""

    identifiers: tuple[Ref, ...] = ()
    cio_ids: tuple[str, ...] = ()

    @property
    def keys(self) -> set[UUID]:
        return {ref.key for ref in self.identifiers}


def delete(person: Person, using: str) -> Deleted:
    """Delete ``person``, in the transaction at hand, and return what went. Safe to repeat.

    With all that is theirs goes what was done on a shared browser between a claim of theirs and
    somebody else's: it was nobody's, and may be theirs. Locks every identifier that was ever
    theirs, what hangs on them, and the people concerned. Takes time with their history.
    """
    rows, own = Person.objects.using(using), person.pk
    rows.filter(pk=own, root=own).update(root=None)  # a write, so SQLite waits; it locks nobody
    found = rows.filter(pk=own).values_list("root", flat=True)
    if not found:
        return Deleted()
    root = found[0] or own  # asked for anew: a merge, or its undo, may have come since
    group = {root, *rows.filter(root=root).values_list("pk", flat=True)}
    return _Deletion(group, using).carry_out()


def delete_strays(keys: Collection[UUID], using: str) -> Deleted:
    """Delete, in the transaction at hand, all that came of deleted identifiers after all.

    A message that is stored while its person is deleted is seen by neither transaction. Safe to
    repeat; costs four look-ups where there is nothing.
    """
    if not (keys and _has_strays(keys, using)):
        return Deleted()
    standing = Person.objects.using(using).filter(pk__in=keys).values_list("pk", flat=True)
    lost = set(keys) - set(standing)
    owned = Ownership.objects.using(using).filter(Q(person__in=lost) | Q(after__in=lost))
    deletion = _Deletion(set(keys), using)
    deletion.touched |= {*keys, *owned.values_list("identifier", flat=True)}
    remove(owned)
    deletion.stretches += [Ownership(identifier_id=key, since=BEGINNING, until=END) for key in keys]
    deletion.is_late = True
    return deletion.carry_out()


def _has_strays(keys: Collection[UUID], using: str) -> bool:
    sides = (
        Activity.objects.filter(identifier__in=keys),
        Identifier.objects.filter(pk__in=keys),
        Claim.objects.filter(Q(weak__in=keys) | Q(target__in=keys)),
        Ownership.objects.filter(Q(person__in=keys) | Q(after__in=keys)),
    )
    return any(side.using(using).exists() for side in sides)


class _Deletion:
    """One deletion. ``group``: the rows that are this person; ``touched``: what to settle anew.

    ``stretches``: what was theirs; also what is stored in them meanwhile counts for nothing.
    ``is_late``: of who is gone already, whatever others say of them since.
    """

    def __init__(self, group: set[UUID], using: str) -> None:
        self.group = group
        self.using = using
        self.settlement = Settlement(using)
        self.touched: set[UUID] = set()
        self.stretches: list[Ownership] = []
        self.shared: set[UUID] = set()
        self.is_late = False

    def carry_out(self) -> Deleted:
        theirs = Q(person__in=self.group) | Q(after__in=self.group)
        self.stretches += Ownership.objects.using(self.using).filter(theirs)
        self.touched |= self.group | {stretch.identifier_id for stretch in self.stretches}
        self.lock()
        self.shared = set() if self.is_late else self.emails_of_others()
        for stretch in self.stretches:
            self.forget_done(stretch)
        self.forget_named()
        self.lock()
        return self.settle()

    def lock(self) -> None:
        """Lock the identifiers to settle: emails, then anonymous ids, then ids."""
        kinds = dict(self.identifiers(self.touched).values_list("pk", "kind"))
        for kind in (Kind.EMAIL, Kind.ANONYMOUS_ID, Kind.ID):
            self.settlement.lock([key for key in kinds if kinds[key] == kind])

    def emails_of_others(self) -> set[UUID]:
        """Which emails of theirs somebody else uses too, by a claim that counts."""
        claims = Claim.objects.using(self.using).counting().filter(weak__in=self.group)
        return set(claims.exclude(target__in=self.group).values_list("weak", flat=True))

    def forget_done(self, stretch: Ownership) -> None:
        """Delete what was done in a stretch, with all that it claimed and merged."""
        done = Activity.objects.using(self.using).filter(_within(stretch))
        while keys := list(done.values_list("pk", flat=True)[:BATCH]):
            self.forget_claims(Q(activity__in=keys))
            self.forget_merges(Q(activity__in=keys))
            remove(Conflict.objects.using(self.using).filter(activity__in=keys))
            remove(done.filter(pk__in=keys))

    def forget_named(self) -> None:
        """Let those who stay forget whom only the deleted messages were from."""
        self.gone = self.group - self.heads(self.group) - self.shared
        called_so = self.forget_claims(Q(weak__in=self.gone))
        called_so |= self.forget_merges(naming(self.gone))
        nobody = self.touched - self.used()
        self.forget_merges(naming(self.group | nobody) & Q(activity=None))
        values = set(self.identifiers(self.gone).values_list("value", flat=True))
        for one in self.identifiers(called_so):
            self.keep_registers(one, without(one.registers or {}, values))

    def forget_claims(self, which: Q) -> set[UUID]:
        return self.forget(Claim.objects.using(self.using).filter(which), "weak", "target")

    def forget_merges(self, which: Q) -> set[UUID]:
        merges = MergeOperation.objects.using(self.using).filter(which)
        return self.forget(merges, "primary", "secondary")

    def forget(self, rows: QuerySet[Any], *sides: str) -> set[UUID]:
        """Delete ``rows``; return the identifiers on their sides, which are to be settled."""
        named: set[UUID] = set(chain.from_iterable(rows.values_list(*sides)))
        remove(rows)
        self.touched |= named
        return named

    def settle(self) -> Deleted:
        """Fold anew what is left, bring up to date whose it is, and drop what nobody uses."""
        held = [self.settlement.held[key] for key in sorted(self.touched & {*self.settlement.held})]
        for one in held:
            if one.kind != Kind.ID:
                self.read_again(one)
        emails = [one for one in held if one.kind == Kind.EMAIL]
        visitors = [one for one in held if one.kind == Kind.ANONYMOUS_ID]
        self.settlement.fold(
            dict.fromkeys(_keys(emails), EVER), dict.fromkeys(_keys(visitors), EVER)
        )
        people.refresh(self.settlement.changes, self.touched, self.using)
        used = self.used()
        deleted = self.drop(self.touched - used)
        conflicts.tell_emails([one for one in emails if one.pk in used], self.using)
        return deleted

    def drop(self, unused: set[UUID]) -> Deleted:
        """Delete identifiers, with their people; what came late stays.

        Raises Vanished where somebody merged one meanwhile: to run it again then deletes both.
        """
        if MergeOperation.objects.using(self.using).filter(naming(unused)).exists():
            raise Vanished
        people = Person.objects.using(self.using).filter(pk__in=unused)
        deleted = Deleted(
            identifiers=tuple(one.ref for one in self.identifiers(unused)),
            cio_ids=tuple(people.values_list("cio_id", flat=True)),
        )
        rows: tuple[QuerySet[Any], ...] = (
            Ownership.objects.filter(identifier__in=unused),
            Conflict.objects.filter(Q(identifier__in=unused) | Q(other__in=unused)),
            ObjectRelationship.objects.filter(identifier__in=unused),
            Person.objects.filter(pk__in=unused),
            Identifier.objects.filter(pk__in=unused),
        )
        for those in rows:
            remove(those.using(self.using))
        return deleted

    def read_again(self, one: Identifier) -> None:
        """Read anew from its messages what an identifier wrote and whether it is known."""
        said = Activity.objects.using(self.using).filter(identifier=one)
        proofs = said.filter(trusted=True, type__in=IDENTIFYING)
        one.known = one.kind == Kind.EMAIL and proofs.exists()
        self.identifiers([one.pk]).update(known=one.known)
        if one.registers is not None:
            wrote = said.filter(type__in=WRITING).select_related("identifier")
            self.keep_registers(one, join(written(message.as_message()) for message in wrote))

    def keep_registers(self, one: Identifier, registers: Registers) -> None:
        self.identifiers([one.pk]).update(registers=registers)

    def used(self) -> set[UUID]:
        """Which identifiers some message still uses; that staff merged one is no use of it."""
        claims = Claim.objects.using(self.using).filter(weak__in=self.touched)
        merges = MergeOperation.objects.using(self.using).exclude(activity=None)
        named = merges.filter(naming(self.touched)).values_list("primary", "secondary")
        sides = (claims.values_list("weak"), named)
        return self.heads(self.touched).union(*chain.from_iterable(sides))

    def heads(self, keys: Iterable[UUID]) -> set[UUID]:
        """Which of ``keys`` some message is from; so are all that claims are for.

        One that another transaction stored in a deleted stretch since then is as good as deleted.
        """
        done = Activity.objects.using(self.using).filter(identifier=OuterRef("pk"))
        for stretch in self.stretches:
            done = done.exclude(_within(stretch))
        return set(self.identifiers(keys).filter(Exists(done)).values_list("pk", flat=True))

    def identifiers(self, keys: Iterable[UUID]) -> QuerySet[Identifier]:
        return Identifier.objects.using(self.using).filter(pk__in=list(keys))


def _within(stretch: Ownership) -> Q:
    return Q(
        identifier=stretch.identifier_id,
        timestamp__gte=stretch.since,
        timestamp__lt=stretch.until,
    )


def _keys(rows: Iterable[Identifier]) -> list[UUID]:
    return [row.pk for row in rows]
