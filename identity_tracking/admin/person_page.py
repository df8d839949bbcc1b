"""What the page of one person shows beside the history: gathered in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.history import history
from identity_tracking.admin.readonly import may_view, page_of
from identity_tracking.admin.sections import ROWS, Stretch, conflicts, relationships, stretch
from identity_tracking.admin.values import Shown, in_brief, instant, plain
from identity_tracking.admin.wording import shortened
from identity_tracking.identifiers import Kind, digest
from identity_tracking.messages import Type
from identity_tracking.models import (
    Activity,
    Claim,
    Identifier,
    Ownership,
    Person,
)
from identity_tracking.models.activity import spans
from identity_tracking.models.identifier import BEGINNING, END
from identity_tracking.payloads import Json

HUES = 6  # colours of avatars, as in admin.css


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Who wrote a value, and when. ``link`` is the message's page, for those who may see it."""

    at: datetime | None
    source: str
    trusted: bool
    link: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """An attribute, and the value that lost to it; either may be missing."""

    name: str
    value: Shown | None
    origin: Origin | None
    claimed: Shown | None
    claimed_origin: Origin | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Belonging:
    """An identifier of a person, and why it is theirs: its first and its latest claim."""

    identifier: Identifier
    link: str
    is_own: bool
    first: Claim | None
    last: Claim | None
    stretches: Sequence[Stretch]
    name: str
    is_shown_email: bool

    @property
    def why(self) -> str | Promise:
        """What sort of message gave it to the person first."""
        said = getattr(self.first, "said", "")
        return Type(said).label if said in Type.values else _("message")


def person_page(request: HttpRequest, person: Person) -> dict[str, Any]:
    """Return what the page of ``person`` shows, as far as the one who asks may see it."""
    folded = list(Person.objects.filter(root=person.pk).order_by("pk"))
    person.component = [person.pk, *(row.pk for row in folded)]
    rows = list(Ownership.objects.of(person.component).order_by("identifier", "since"))
    belongings = _belongings(rows, person)
    first = [one.first for one in belongings if one.first]
    keys = {row.identifier_id for row in rows}
    return {
        "person": person,
        "hue": hue(person),
        "folded": folded,
        "belongings": belongings,
        "more_belongings": max(0, len(keys) - ROWS),
        "attributes": attributes(request, person),
        "relationships": relationships(request, person.pk),
        "conflicts": conflicts(request, Q(identifier__in=keys) | Q(other__in=keys)),
        "shows_messages": may_view(request, Activity),
        "history": history(request, spans(person), {claim.activity_id for claim in first}),
    }


def hue(person: Person) -> int:
    """Return the number of the avatar's colour: the same on every page."""
    return int(person.anchor_id) % HUES


def attributes(request: HttpRequest, person: Person) -> list[Attribute]:
    """Return every attribute by name, with what was claimed in its place."""
    linked = may_view(request, Activity)
    claimed = _mapping(person.claimed)
    provenance = _mapping(person.provenance)
    return [
        Attribute(
            name=plain(name),
            value=in_brief(person.attributes[name], name) if name in person.attributes else None,
            origin=_origin(provenance.get(name), linked=linked),
            claimed=in_brief(_mapping(claimed[name]).get("value"), name)
            if name in claimed
            else None,
            claimed_origin=_origin(claimed.get(name), linked=linked),
        )
        for name in sorted({*person.attributes, *claimed}, key=str.casefold)
    ]


def _origin(told: Json, *, linked: bool) -> Origin | None:
    """Read ``{"at": "2026-11-21T10:00:00+00:00", "source": …, "trusted": …, "message_id": …}``."""
    if not (told := _mapping(told)):
        return None
    source, trusted = str(told.get("source", "")), bool(told.get("trusted"))
    key = digest(source, str(int(trusted)), str(told.get("message_id", "")))
    return Origin(
        at=instant(told.get("at")),
        source=source,
        trusted=trusted,
        link=page_of(Activity, key) if linked else "",
    )


def _belongings(rows: Iterable[Ownership], person: Person) -> list[Belonging]:
    """Return the identifiers that ``rows``, in order of identifiers, give to ``person``."""
    stretches = {
        key: _joined(of_one) for key, of_one in groupby(rows, key=lambda row: row.identifier_id)
    }
    found = _with_claims(list(stretches))
    messages = Claim.objects.annotate(said=F("activity__type")).select_related("target")
    claims = messages.in_bulk(
        {key for one in found for key in (one.first_claim, one.last_claim) if key}
    )
    return [
        Belonging(
            identifier=one,
            link=page_of(Identifier, one.pk),
            is_own=one.pk in person.component,
            first=claims.get(one.first_claim),
            last=claims.get(one.last_claim) if one.last_claim != one.first_claim else None,
            stretches=stretches[one.pk],
            name=shortened(one),
            is_shown_email=one.kind == Kind.EMAIL and one.value == person.email,
        )
        for one in found
    ]


def _with_claims(keys: Sequence[UUID]) -> list[Any]:
    """Return the identifiers, each with the first and last claim of it for one of them."""
    claims = Claim.objects.filter(weak=OuterRef("pk"), target__in=keys)
    identifiers = (
        Identifier.objects.filter(pk__in=keys)
        .defer("registers")
        .annotate(
            first_claim=Subquery(claims.order_by("time", "pk").values("pk")[:1]),
            last_claim=Subquery(claims.order_by("-time", "-pk").values("pk")[:1]),
        )
    )
    return list(identifiers.order_by("-kind", "created_at")[:ROWS])


def _joined(rows: Iterable[Ownership]) -> list[Stretch]:
    """Return stretches in their order, those that touch as one; empty for all time."""
    bounds: list[list[datetime]] = []
    for row in rows:
        if bounds and bounds[-1][1] == row.since:
            bounds[-1][1] = row.until
        else:
            bounds.append([row.since, row.until])
    if bounds == [[BEGINNING, END]]:
        return []
    return [stretch(since, until) for since, until in bounds]


def _mapping(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, dict) else {}
