"""Sections that several pages have in common; each is None for those who may not see its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString

from identity_tracking.admin.readonly import may_view, page_of
from identity_tracking.admin.values import Shown, in_brief, plain
from identity_tracking.admin.wording import happened
from identity_tracking.models import Conflict, Identifier, ObjectRelationship, Person
from identity_tracking.models.identifier import BEGINNING, END
from identity_tracking.payloads import Json

ROWS = 100  # of a section: identifiers, relationships, conflicts


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """From when until when; None is ever."""

    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Related:
    """One end of a relationship, and its attributes."""

    object: str
    object_id: UUID
    identifier: Identifier
    person: Person | None
    attributes: Sequence[tuple[str, Shown]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """A conflict in words."""

    what: SafeString
    link: str
    found_at: datetime


def stretch(since: datetime, until: datetime) -> Stretch:
    """Return a stretch of an ownership without the sentinels that stand for "ever"."""
    return Stretch(
        since=None if since == BEGINNING else since, until=None if until == END else until
    )


def relationships(request: HttpRequest, holder: UUID) -> list[Related] | None:
    """Return what a person or visitor relates to."""
    if not may_view(request, ObjectRelationship):
        return None
    rows = ObjectRelationship.objects.filter(identifier=holder).order_by(
        "object__object_type", "object__object_id"
    )
    return [related(row) for row in rows.select_related("object", "identifier")[:ROWS]]


def related(row: ObjectRelationship, person: Person | None = None) -> Related:
    return Related(
        object=plain(str(row.object)),
        object_id=row.object.pk,
        identifier=row.identifier,
        person=person,
        attributes=table(row.attributes),
    )


def conflicts(request: HttpRequest, concerned: Q) -> list[Told] | None:
    """Return the latest conflicts for which ``concerned`` holds."""
    if not may_view(request, Conflict):
        return None
    rows = Conflict.objects.filter(concerned).select_related("identifier", "other")
    return [
        Told(what=happened(row), link=page_of(Conflict, row.pk), found_at=row.found_at)
        for row in rows.order_by("-found_at")[:ROWS]
    ]


def table(values: Mapping[str, Json]) -> list[tuple[str, Shown]]:
    """Return attributes by name, each in brief."""
    return [
        (plain(name), in_brief(values[name], name)) for name in sorted(values, key=str.casefold)
    ]
