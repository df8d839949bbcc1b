"""Fold: make an identifier's ownership rows what its claims say, and tell what changed.

The caller holds the identifier's lock. Only the stretches next to a change are read and
written, so that the cost does not grow with the history.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.db.models import OuterRef, QuerySet, Subquery, UUIDField

from identity_tracking.conf import conf
from identity_tracking.identifiers import Kind
from identity_tracking.identity.rules import (
    Change,
    Point,
    Span,
    Stretch,
    changes,
    overlay,
    stretches,
)
from identity_tracking.messages import Order, microseconds
from identity_tracking.models import Claim, Identifier, Ownership
from identity_tracking.models.identifier import BEGINNING, END
from identity_tracking.models.removal import remove

EVER = Span(BEGINNING, END)


def fold_email(email: Identifier, span: Span, using: str) -> list[Change]:
    """Fold an email where its counting claims changed within ``span`` (rules 2 and 4)."""
    claims = Claim.objects.using(using).standing().filter(weak=email)
    firm = claims.filter(firm=True)
    if firm.exists():
        claims = firm
    elif email.known:
        claims = claims.none()
    return _fold(email, claims, span, shared=False, using=using)


def fold_visitor(visitor: Identifier, span: Span, using: str) -> list[Change]:
    """Fold an anonymous id where its claims, or their targets, changed within ``span``."""
    claims = Claim.objects.using(using).standing().filter(weak=visitor)
    too_many = has_too_many_people(visitor, using)
    if too_many:
        claims = claims.none()
    if too_many or not Ownership.objects.using(using).filter(identifier=visitor).exists():
        span = EVER
    return _fold(visitor, claims, span, shared=True, using=using)


def has_too_many_people(visitor: Identifier, using: str) -> bool:
    """Say whether a browser was claimed for more ids than PEOPLE_PER_BROWSER (rule 5).

    Who its targets are at any time is found with one query, and is nearly always few enough.
    Only where emails that several ids used make the difference are all claims read.
    """
    limit = conf.PEOPLE_PER_BROWSER
    claims = Claim.objects.using(using).standing().filter(weak=visitor)
    owners = Ownership.objects.using(using).filter(identifier__in=claims.values("target"))
    if len(owners.values_list("person").distinct()[: limit + 1]) <= limit:
        return False
    ids = Identifier.objects.using(using).filter(kind=Kind.ID)
    if len(ids.filter(pk__in=claims.values("target")).values_list("pk")[: limit + 1]) > limit:
        return True
    people = {point.person for point in _points(claims, using)}
    return ids.filter(pk__in=people).count() > limit


def _fold(
    weak: Identifier, claims: QuerySet[Claim], span: Span, *, shared: bool, using: str
) -> list[Change]:
    points = _points(_near(claims, span), using)
    within = _reach(points, span)
    own = None if weak.kind == Kind.ANONYMOUS_ID else weak.pk
    rows = list(
        Ownership.objects.using(using)
        .filter(identifier=weak, since__lte=within.until, until__gte=within.since)
        .order_by("since")
    )
    old = [Stretch(row.since, row.until, row.person_id, row.after_id) for row in rows]
    back = timedelta(seconds=conf.LOOK_BACK) if shared and conf.LOOK_BACK is not None else None
    pieces = stretches(points, within, shared=shared, own=own, look_back=back)
    new = overlay(old, pieces, within)
    _write(weak, rows, new, using)
    return changes(old, new, within)


def _near(claims: QuerySet[Claim], span: Span) -> QuerySet[Claim]:
    """The claims in ``span``, and those of the nearest instants on either side."""
    if span == EVER:
        return claims
    before = claims.filter(time__lt=span.since).order_by("-time").values_list("time", flat=True)
    after = claims.filter(time__gte=span.until).order_by("time").values_list("time", flat=True)
    return claims.filter(time__gte=before.first() or BEGINNING, time__lte=after.first() or END)


def _points(claims: QuerySet[Claim], using: str) -> list[Point]:
    """Return ``claims`` in their order, each with whom its target means at that time."""
    owner = (
        Ownership.objects.using(using)
        .filter(
            identifier=OuterRef("target"), since__lte=OuterRef("time"), until__gt=OuterRef("time")
        )
        .values("person")[:1]
    )
    rows = claims.values_list(
        "time", "message_id", "trusted", "source", Subquery(owner, output_field=UUIDField())
    )
    return sorted(
        Point(Order(microseconds(time), message_id, trusted, source), time, person)
        for time, message_id, trusted, source, person in rows
    )


def _reach(points: Sequence[Point], span: Span) -> Span:
    """Return how far a change in ``span`` reaches: to the nearest claims on either side."""
    before = [point.time for point in points if point.time < span.since]
    after = [point.time for point in points if point.time >= span.until]
    return Span(max(before, default=BEGINNING), min(after, default=END))


def _write(weak: Identifier, rows: Iterable[Ownership], new: Iterable[Stretch], using: str) -> None:
    """Write only the difference between the ownership rows and what they must be."""
    stretches_by_since = {stretch.since: stretch for stretch in new}
    ownership = Ownership.objects.using(using)
    kept: set[datetime] = set()
    gone: list[int] = []
    for row in rows:
        stretch = stretches_by_since.get(row.since)
        if stretch is None:
            gone.append(row.pk)
            continue
        kept.add(row.since)
        values = {"until": stretch.until, "person_id": stretch.person, "after_id": stretch.after}
        if any(getattr(row, name) != value for name, value in values.items()):
            ownership.filter(pk=row.pk).update(**values)
    if gone:
        remove(ownership.filter(pk__in=gone))
    fresh = [stretch for since, stretch in stretches_by_since.items() if since not in kept]
    if fresh:
        ownership.bulk_create(
            [
                Ownership(
                    identifier=weak,
                    since=stretch.since,
                    until=stretch.until,
                    person_id=stretch.person,
                    after_id=stretch.after,
                )
                for stretch in fresh
            ]
        )
