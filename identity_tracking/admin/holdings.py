"""Whose an identifier is, stretch by stretch, as its page tells it."""

from __future__ import annotations

from dataclasses import dataclass

from identity_tracking.admin.readonly import page_of
from identity_tracking.admin.sections import ROWS, Stretch, stretch
from identity_tracking.admin.values import plain
from identity_tracking.models import Identifier, Ownership, Person
from identity_tracking.models.person import owner_of


@dataclass(frozen=True, kw_only=True, slots=True)
class Holding:
    """Whose an identifier was for a time; without a ``person``, nobody's: between two people."""

    person: str
    link: str
    stretch: Stretch


def holdings(identifier: Identifier) -> list[Holding]:
    """Return whose the identifier was, latest first."""
    rows = Ownership.objects.filter(identifier=identifier).order_by("-since")
    return [_holding(row) for row in rows.select_related("person__root", "after__root")[:ROWS]]


def _holding(row: Ownership) -> Holding:
    person = owner_of(row)
    return Holding(
        person=plain(str(person)) if person else "",
        link=page_of(Person, person.pk) if person else "",
        stretch=stretch(row.since, row.until),
    )
