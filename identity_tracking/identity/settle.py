"""Settle what newly stored messages say about who is who: claims, folds, attributes, people.

Every lock is taken here, in one order: emails, then anonymous ids, then ids, then people, each
in key order; what was locked is read again under the lock. Emails come first, so what hangs on
an email cannot grow once it is held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from django.db import connections

from identity_tracking.identifiers import Kind, Ref
from identity_tracking.identity import conflicts, people
from identity_tracking.identity.folding import EVER, fold_email, fold_visitor
from identity_tracking.identity.merge import record_merges
from identity_tracking.identity.objects import holders
from identity_tracking.identity.registers import bounded, join, written
from identity_tracking.identity.rows import Vanished
from identity_tracking.identity.rules import (
    Assertion,
    Change,
    Span,
    assertions,
    at,
    hull,
    joins,
    moved_span,
    proves_email,
)
from identity_tracking.messages import Message
from identity_tracking.models import Claim, Identifier, Person

TOGETHER = 500  # whose relationships are read at a time, where an object was deleted

Timed: TypeAlias = tuple[datetime, Assertion]


def settle(
    messages: Sequence[Message],
    using: str,
    *,
    seen: Collection[UUID] = (),
    late: Sequence[Message] = (),
) -> None:
    """Carry out what ``messages``, newly stored in this transaction, claim, merge and write.

    Page views and events of now cost nothing here: they change nobody's identity, and take no
    lock. ``seen``: people whose rows the caller will write; they are locked with the others.
    ``late``: messages whose identifiers and people are to stay as they are until the end.
    """
    asserted = [(message, claim) for message in messages for claim in assertions(message)]
    writers = [message for message in messages if message.writes]
    proofs = [message for message in messages if proves_email(message)]
    if asserted or writers or proofs:
        Settlement(using, seen, late).carry_out(asserted, writers, proofs)
    elif late:
        Settlement(using, seen, late).hold()
    conflicts.tell_refused(messages, using)


def recount(claim: Claim, using: str) -> None:
    """Settle anew whose things are after ``claim`` was voided, or restored, in this transaction."""
    Settlement(using).recount(claim)


def hold_related(objects: Collection[UUID], using: str) -> None:
    """Lock who relates to ``objects``, for their end, before the objects themselves are locked.

    SQLite has one writer at a time anyway.
    """
    if not objects or connections[using].vendor == "sqlite":
        return
    held = holders(objects, using)
    for lock in (_lock_visitors, people.lock):
        for start in range(0, len(held), TOGETHER):
            lock(held[start : start + TOGETHER], using)


def end_relationships(objects: Collection[UUID], using: str) -> None:
    """End what relationships there are to ``objects`` that were deleted since. Safe to repeat.

    Takes time with how many there are.
    """
    held = holders(objects, using) if objects else []
    for start in range(0, len(held), TOGETHER):
        reread(held[start : start + TOGETHER], using)


def reread(keys: Collection[UUID], using: str) -> None:
    """Show anew what is theirs whom ``keys`` name; locks them as messages of theirs would."""
    _lock_visitors(keys, using)
    people.refresh({}, keys, using)


class Settlement:
    """One transaction's worth of settling. ``held``: the identifiers locked so far."""

    def __init__(
        self, using: str, seen: Collection[UUID] = (), late: Sequence[Message] = ()
    ) -> None:
        self.using = using
        self.seen = seen
        self.late = [message.head for message in late]
        self.held: dict[UUID, Identifier] = {}
        self.changes: dict[UUID, list[Change]] = {}

    def hold(self) -> None:
        """Lock whose late messages are, and who was seen."""
        self.lock_emails(self.late)
        self.lock(_visitors(self.late))
        Person.objects.using(self.using).locked(self.bystanders())

    def carry_out(
        self,
        asserted: Sequence[tuple[Message, Assertion]],
        writers: Sequence[Message],
        proofs: Sequence[Message],
    ) -> None:
        heads = [message.head for message in (*writers, *proofs)]
        claimed = [(message.timestamp, claim) for message, claim in asserted]
        self.lock_emails([*heads, *self.late, *(ref for _, claim in claimed for ref in claim[:2])])
        spans = self.email_spans(claimed, {message.head.key for message in proofs})
        self.record(asserted)
        self.fold(spans, _visitor_spans(claimed), _visitors([*heads, *self.late]))
        self.write_registers(writers)
        merged = self.record_merges(writers)
        heads_written = {message.head.key for message in writers} | merged
        people.refresh(self.changes, heads_written, self.using, seen=self.bystanders())
        self.tell_emails(claimed, [message.head.key for message in proofs])

    def bystanders(self) -> set[UUID]:
        """Return whom to lock though nothing of theirs is settled: who was seen, or is late.

        Of who is merged one row is enough: whatever parts them locks them all.
        """
        return {*self.seen, *people.owners([ref.key for ref in self.late], self.using)}

    def recount(self, claim: Claim) -> None:
        """Fold what ``claim`` bears on, as if it were new: what it gave is what it can take."""
        claimed = [(claim.time, Assertion(claim.weak.ref, claim.target.ref, claim.firm))]
        self.lock_emails(claimed[0][1][:2])
        spans = self.email_spans(claimed, set(), but=claim.pk)
        self.fold(spans, _visitor_spans(claimed))
        people.refresh(self.changes, {claim.target_id}, self.using)
        self.tell_emails(claimed)

    def lock(self, keys: Iterable[UUID]) -> None:
        wanted = set(keys) - set(self.held)
        self.held |= Identifier.objects.using(self.using).locked(wanted)
        if wanted - set(self.held):
            raise Vanished

    def lock_emails(self, refs: Iterable[Ref]) -> None:
        self.lock({ref.key for ref in refs if ref.kind is Kind.EMAIL})

    def email_spans(
        self, claimed: Sequence[Timed], proven: set[UUID], *, but: int = 0
    ) -> dict[UUID, Span]:
        """Return where each email's owner can change, and mark the emails proven for good.

        ``but``: a claim that is there already, and is to be looked at as if it were new.
        """
        newly_known = {key for key in proven if not self.held[key].known}
        new: dict[UUID, dict[bool, list[Span]]] = defaultdict(lambda: {True: [], False: []})
        for time, claim in claimed:
            if claim.weak.kind is Kind.EMAIL:
                new[claim.weak.key][claim.firm].append(at(time))
        spans = {}
        for key in newly_known | set(new):
            firm_claims = Claim.objects.using(self.using).standing().filter(weak=key, firm=True)
            spans[key] = moved_span(
                firm=new[key][True],
                soft=new[key][False],
                had_firm=firm_claims.exclude(pk=but).exists(),
                known=self.held[key].known,
                newly_known=key in newly_known,
                ever=EVER,
            )
        for key in sorted(newly_known):
            Identifier.objects.using(self.using).filter(pk=key).update(known=True)
            self.held[key].known = True
        return {key: span for key, span in spans.items() if span}

    def record(self, asserted: Sequence[tuple[Message, Assertion]]) -> None:
        claims = [Claim.from_message(message, **claim._asdict()) for message, claim in asserted]
        Claim.objects.using(self.using).bulk_create(claims)

    def fold(
        self,
        emails: Mapping[UUID, Span],
        visitors: Mapping[UUID, Span],
        held: Iterable[UUID] = (),
    ) -> None:
        """Fold emails, then anonymous ids and those that hang on what moved, within spans.

        ``held``: more anonymous ids to lock.
        """
        for key in sorted(emails):
            self.changes[key] = fold_email(self.held[key], emails[key], self.using)
        spans = defaultdict(list, {key: [span] for key, span in visitors.items()})
        for email, moved in self.changes.items():
            for weak, span in self.hanging(email, moved):
                spans[weak].append(span)
        self.lock({*spans, *held})
        for key in sorted(spans):
            self.changes[key] = fold_visitor(self.held[key], hull(spans[key]) or EVER, self.using)
            conflicts.tell_visitor(self.held[key], self.using)

    def hanging(self, email: UUID, moved: Sequence[Change]) -> list[tuple[UUID, Span]]:
        span = hull(change.span for change in moved)
        if span is None:
            return []
        claims = (
            Claim.objects.using(self.using)
            .standing()
            .filter(target=email, time__gte=span.since, time__lt=span.until)
        )
        return [(weak, span) for weak in claims.values_list("weak", flat=True).distinct()]

    def write_registers(self, writers: Sequence[Message]) -> None:
        """Join what the messages write into the registers of their heads."""
        documents = defaultdict(list)
        for message in writers:
            documents[message.head.key].append(written(message))
        self.lock(documents)
        for key in sorted(documents):
            registers = bounded(join([self.held[key].registers or {}, *documents[key]]))
            Identifier.objects.using(self.using).filter(pk=key).update(registers=registers)

    def record_merges(self, writers: Sequence[Message]) -> set[UUID]:
        """Keep as operations what messages merge; return whom they name."""
        merges = [(message, one) for message in writers for one in joins(message)]
        record_merges(merges, self.using)
        return {ref.key for _, one in merges for ref in one}

    def tell_emails(self, claimed: Sequence[Timed], proven: Iterable[UUID] = ()) -> None:
        emails = [claim.weak.key for _, claim in claimed if claim.weak.kind is Kind.EMAIL]
        conflicts.tell_emails([self.held[key] for key in (*emails, *proven)], self.using)


def _lock_visitors(keys: Collection[UUID], using: str) -> None:
    visitors = Identifier.objects.using(using).filter(kind=Kind.ANONYMOUS_ID, pk__in=keys)
    Settlement(using).lock(visitors.values_list("pk", flat=True))


def _visitors(refs: Iterable[Ref]) -> list[UUID]:
    return [ref.key for ref in refs if ref.kind is Kind.ANONYMOUS_ID]


def _visitor_spans(claimed: Iterable[Timed]) -> dict[UUID, Span]:
    """Return where each anonymous id among ``claimed`` changes."""
    spans: dict[UUID, Span] = {}
    for time, claim in claimed:
        if claim.weak.kind is Kind.ANONYMOUS_ID:
            key = claim.weak.key
            spans[key] = at(time).hull(spans.get(key, at(time)))
    return spans
