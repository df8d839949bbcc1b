"""Settle what newly stored messages say about who is who: claims, folds, attributes, people.

Every lock is taken here, in one order: emails, then anonymous ids, then ids, then people, each
in key order; what was locked is read again under the lock. Emails come first, so what hangs on
an email cannot grow once it is held.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from uuid import UUID

from identity_tracking.identifiers import Kind
from identity_tracking.identity import conflicts, people
from identity_tracking.identity.folding import EVER, fold_email, fold_visitor
from identity_tracking.identity.registers import join, written
from identity_tracking.identity.rules import (
    Assertion,
    Change,
    Span,
    assertions,
    at,
    hull,
    moved_span,
    proves_email,
)
from identity_tracking.messages import Message
from identity_tracking.models import Claim, Identifier


def settle(messages: Sequence[Message], using: str) -> None:
    """Carry out what ``messages``, newly stored in this transaction, claim and write.

    Page views and events cost nothing here: they change nobody's identity, and take no lock.
    """
    asserted = [(message, claim) for message in messages for claim in assertions(message)]
    writers = [message for message in messages if message.writes]
    proofs = [message for message in messages if proves_email(message)]
    if asserted or writers or proofs:
        _Settlement(using).carry_out(asserted, writers, proofs)
    conflicts.tell_refused(messages, using)


class _Settlement:
    """One transaction's worth of settling. ``held``: the identifiers locked so far."""

    def __init__(self, using: str) -> None:
        self.using = using
        self.held: dict[UUID, Identifier] = {}
        self.changes: dict[UUID, list[Change]] = {}

    def carry_out(
        self,
        asserted: Sequence[tuple[Message, Assertion]],
        writers: Sequence[Message],
        proofs: Sequence[Message],
    ) -> None:
        heads = [message.head for message in (*writers, *proofs)]
        claims = [claim for _, claim in asserted]
        mentioned = {ref for claim in claims for ref in claim[:2]} | set(heads)
        self.lock(ref.key for ref in mentioned if ref.kind is Kind.EMAIL)
        spans = self.email_spans(asserted, {message.head.key for message in proofs})
        self.record(asserted)
        for key in sorted(spans):
            self.changes[key] = fold_email(self.held[key], spans[key], self.using)
        self.fold_visitors(asserted, [head.key for head in heads if head.kind is Kind.ANONYMOUS_ID])
        self.write_registers(writers)
        people.refresh(self.changes, {message.head.key for message in writers}, self.using)
        conflicts.tell_emails(
            [self.held[c.weak.key] for c in claims if c.weak.kind is Kind.EMAIL]
            + [self.held[message.head.key] for message in proofs],
            self.using,
        )

    def lock(self, keys: Iterable[UUID]) -> None:
        wanted = set(keys) - set(self.held)
        self.held |= Identifier.objects.using(self.using).locked(wanted)

    def email_spans(
        self, asserted: Sequence[tuple[Message, Assertion]], proven: set[UUID]
    ) -> dict[UUID, Span]:
        """Return where each email's owner can change, and mark the emails proven for good."""
        newly_known = {key for key in proven if not self.held[key].known}
        new: dict[UUID, dict[bool, list[Span]]] = defaultdict(lambda: {True: [], False: []})
        for message, claim in asserted:
            if claim.weak.kind is Kind.EMAIL:
                new[claim.weak.key][claim.firm].append(at(message.timestamp))
        spans = {}
        for key in newly_known | set(new):
            firm_claims = Claim.objects.using(self.using).filter(weak=key, firm=True)
            spans[key] = moved_span(
                firm=new[key][True],
                soft=new[key][False],
                had_firm=firm_claims.exists(),
                known=self.held[key].known,
                newly_known=key in newly_known,
                ever=EVER,
            )
        for key in sorted(newly_known):
            Identifier.objects.using(self.using).filter(pk=key).update(known=True)
            self.held[key].known = True
        return {key: span for key, span in spans.items() if span}

    def record(self, asserted: Sequence[tuple[Message, Assertion]]) -> None:
        Claim.objects.using(self.using).bulk_create(
            [
                Claim(
                    weak_id=claim.weak.key,
                    target_id=claim.target.key,
                    activity_id=message.key,
                    time=message.timestamp,
                    message_id=message.message_id,
                    trusted=message.trusted,
                    source=message.source,
                    firm=claim.firm,
                )
                for message, claim in asserted
            ]
        )

    def fold_visitors(
        self, asserted: Sequence[tuple[Message, Assertion]], heads: Sequence[UUID]
    ) -> None:
        """Fold the anonymous ids claimed, and those that hang on an email which moved."""
        spans: dict[UUID, list[Span]] = defaultdict(list)
        for message, claim in asserted:
            if claim.weak.kind is Kind.ANONYMOUS_ID:
                spans[claim.weak.key].append(at(message.timestamp))
        for email, moved in self.changes.items():
            for weak, span in self.hanging(email, moved):
                spans[weak].append(span)
        self.lock({*spans, *heads})
        for key in sorted(spans):
            self.changes[key] = fold_visitor(self.held[key], hull(spans[key]) or EVER, self.using)
            conflicts.tell_visitor(self.held[key], self.using)

    def hanging(self, email: UUID, moved: Sequence[Change]) -> list[tuple[UUID, Span]]:
        span = hull(change.span for change in moved)
        if span is None:
            return []
        claims = Claim.objects.using(self.using).filter(
            target=email, time__gte=span.since, time__lt=span.until
        )
        return [(weak, span) for weak in claims.values_list("weak", flat=True).distinct()]

    def write_registers(self, writers: Sequence[Message]) -> None:
        """Join what the messages write into the registers of their heads."""
        documents = defaultdict(list)
        for message in writers:
            documents[message.head.key].append(written(message))
        self.lock(documents)
        for key in sorted(documents):
            registers = join([self.held[key].registers or {}, *documents[key]])
            Identifier.objects.using(self.using).filter(pk=key).update(registers=registers)
