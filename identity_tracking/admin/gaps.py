"""Gaps of nobody's: what was done on a shared browser between two people, told where it lies."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Exists, OuterRef, Q

from identity_tracking.admin.readonly import page_of
from identity_tracking.admin.values import plain
from identity_tracking.admin.wording import shortened
from identity_tracking.models import Activity, Identifier, Ownership, Person
from identity_tracking.models.activity import NEWEST_FIRST

GAPS = 50  # of one page of a timeline


@dataclass(frozen=True, kw_only=True, slots=True)
class Gap:
    """A stretch that may be this person's or ``other``'s. ``at``: where the timeline tells it."""

    is_gap: ClassVar[bool] = True

    at: datetime
    since: datetime
    until: datetime
    visitor: str
    link: str
    other: str
    other_link: str
    is_before: bool


def gaps(people: Collection[UUID], after: datetime, until: datetime) -> list[Gap]:
    """Return the gaps beside stretches of ``people``, who are one person, that hold activity.

    Told where the person's own part ends or begins: only those after ``after``, up to ``until``.
    """
    ends = Q(person__in=people, since__gt=after, since__lte=until)
    begins = Q(after__in=people, until__gt=after, until__lte=until)
    rows = (
        Ownership.objects.exclude(after=None)
        .filter(ends | begins, Exists(_within()))
        .exclude(person__in=people, after__in=people)
        .select_related("identifier", "person__root", "after__root")
    )
    return [_gap(row, set(people)) for row in rows.order_by("-since")[:GAPS]]


def _within() -> Any:
    """Return a look-up of any activity within a stretch: the range of an index."""
    return Activity.objects.filter(
        identifier=OuterRef("identifier"),
        timestamp__gte=OuterRef("since"),
        timestamp__lt=OuterRef("until"),
    ).order_by(*NEWEST_FIRST)


def _gap(row: Any, people: set[UUID]) -> Gap:
    is_before = row.person_id not in people
    neighbour: Person = row.person if is_before else row.after
    other = neighbour.root or neighbour
    return Gap(
        at=row.until if is_before else row.since,
        since=row.since,
        until=row.until,
        visitor=shortened(row.identifier),
        link=page_of(Identifier, row.identifier_id),
        other=plain(str(other)),
        other_link=page_of(Person, other.pk),
        is_before=is_before,
    )
