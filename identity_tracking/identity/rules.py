"""The decisions, pure: values in, values out. docs/identity.md explains them in plain words.

1. R3: an identify claims its lower identifiers for its head, an alias its previous anonymous id.
   R9: a trusted identify also claims another email for an id; another id, or another email for
   an email, it joins to it as a merge does.
2. R3: an email's unproven ("soft") claim counts only while the site knows no better.
3. R4: a visitor between two claims of different people is nobody's; else the nearest claim's.
4. R4e: an email is the latest claim's at that time, else the first claim's, else its own.
5. R5: a browser of too many people attributes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple, TypeAlias
from uuid import UUID

from identity_tracking.identifiers import Kind, Ref
from identity_tracking.messages import IDENTIFYING, Message, Order, Type

TICK = timedelta(microseconds=1)

Sides: TypeAlias = tuple[UUID | None, UUID | None]  # whose, and of a gap also who comes after
NOBODY: Sides = (None, None)


class Assertion(NamedTuple):
    """What one message claims: ``weak`` is ``target``'s. Not ``firm``: see rule 2."""

    weak: Ref
    target: Ref
    firm: bool


class Join(NamedTuple):
    """What one message merges: ``secondary`` is the same person as ``primary``."""

    primary: Ref
    secondary: Ref


class Point(NamedTuple):
    """A counting claim, with the person its target means at that time."""

    order: Order
    time: datetime
    person: UUID


class Span(NamedTuple):
    """A stretch of time, half-open."""

    since: datetime
    until: datetime

    def hull(self, other: Span) -> Span:
        return Span(min(self.since, other.since), max(self.until, other.until))


class Stretch(NamedTuple):
    """Whose an identifier is for a while. ``after``: it is the gap between two people."""

    since: datetime
    until: datetime
    person: UUID | None
    after: UUID | None = None

    @property
    def people(self) -> Sides:
        return self.person, self.after


class Change(NamedTuple):
    """Where an identifier's owner, or either side of a gap, is another than before."""

    span: Span
    before: Sides
    now: Sides


def assertions(message: Message) -> list[Assertion]:
    """Return what ``message`` claims (rule 1)."""
    called = message.names
    if message.type is Type.ALIAS and message.previous and called.id:
        return [Assertion(message.previous, called.id, firm=True)]
    if message.type not in IDENTIFYING:
        return []
    claimed = []
    if called.anonymous_id and message.head.kind > Kind.ANONYMOUS_ID:
        claimed.append(Assertion(called.anonymous_id, message.head, firm=True))
    if called.id and message.email:
        claimed.append(Assertion(message.email, called.id, firm=message.email_trusted))
    claimed += [
        Assertion(ref, message.head, firm=True)
        for ref in message.accepted
        if ref.kind < message.head.kind and ref != message.email
    ]
    return claimed


def joins(message: Message) -> list[Join]:
    """Return what ``message`` merges, by giving its person another id or email (rule 1)."""
    head = message.head
    others = [ref for ref in message.accepted if ref.kind is head.kind and ref != head]
    return [Join(head, ref) for ref in others]


def proves_email(message: Message) -> bool:
    """Say whether ``message`` makes its email one that the site knows (rule 2)."""
    trusted = message.trusted and message.type in IDENTIFYING
    return trusted and message.head.kind is Kind.EMAIL


def moved_span(
    *,
    firm: Iterable[Span],
    soft: Iterable[Span],
    had_firm: bool,
    known: bool,
    newly_known: bool,
    ever: Span,
) -> Span | None:
    """Return where new claims to an email can change its owner (rule 2); None: nowhere.

    The first firm claim, and the first proof, switch off all soft claims: then everywhere.
    """
    firm = list(firm)
    if (firm or newly_known) and not had_firm:
        return ever
    if firm:
        return hull(firm)
    return None if had_firm or known else hull(soft)


def hull(spans: Iterable[Span]) -> Span | None:
    """Return the smallest span that holds all of ``spans``, or None where there are none."""
    whole: Span | None = None
    for span in spans:
        whole = whole.hull(span) if whole else span
    return whole


def at(time: datetime) -> Span:
    """Return the span of one instant."""
    return Span(time, time + TICK)


def stretches(
    points: Sequence[Point],
    within: Span,
    *,
    shared: bool,
    own: UUID | None,
    look_back: timedelta | None = None,
) -> list[Stretch]:
    """Return whose an identifier is ``within`` a span, given all its claims in and next to it.

    ``points`` stand in their order. ``shared``: it is a device (rule 3), not an email (rule 4).
    ``own``: whose it is without any claim. ``look_back``: how long before its first claim it is
    already that claim's person's; None: ever.
    """
    if not points:
        return [Stretch(*within, own)]
    since = within.since
    if look_back is not None and look_back < points[0].time - since:
        since = points[0].time - look_back
    marks: list[tuple[datetime, UUID | None, UUID | None]] = [(since, points[0].person, None)]
    for one, other in pairwise(points):
        if one.person == other.person:
            continue
        if shared:
            marks.append((min(one.time + TICK, other.time), one.person, other.person))
        marks.append((other.time, other.person, None))
    ends = [time for time, _, _ in marks[1:]] + [within.until]
    return [
        Stretch(since, min(until, within.until), person, after)
        for (since, person, after), until in zip(marks, ends, strict=True)
        if since < min(until, within.until)
    ]


def overlay(rows: Iterable[Stretch], pieces: Iterable[Stretch], within: Span) -> list[Stretch]:
    """Return ``rows`` with what lies ``within`` a span replaced by ``pieces``.

    Neighbours that are alike become one; what is nobody's for want of a claim is left out.
    """
    outside = [
        clipped
        for row in rows
        for clipped in (
            row._replace(until=min(row.until, within.since)),
            row._replace(since=max(row.since, within.until)),
        )
        if clipped.since < clipped.until
    ]
    result: list[Stretch] = []
    for piece in sorted([*outside, *pieces], key=lambda stretch: stretch.since):
        last = result[-1] if result else None
        if last and last.people == piece.people and last.until == piece.since:
            result[-1] = last._replace(until=piece.until)
        else:
            result.append(piece)
    return [stretch for stretch in result if stretch.person]


def changes(old: Sequence[Stretch], new: Sequence[Stretch], within: Span) -> list[Change]:
    """Return where two lists of stretches differ in whose an identifier is."""
    edges = {edge for row in (*old, *new) for edge in (row.since, row.until)} | set(within)
    inside = sorted(edge for edge in edges if within.since <= edge <= within.until)
    found = [
        Change(Span(since, until), _people(old, since), _people(new, since))
        for since, until in pairwise(inside)
    ]
    return [change for change in found if change.before != change.now]


def _people(rows: Iterable[Stretch], time: datetime) -> Sides:
    return next((row.people for row in rows if row.since <= time < row.until), NOBODY)
