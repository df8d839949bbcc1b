"""What the page of one person shows beside the history: gathered in a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.belongings import belongings
from identity_tracking.admin.claims import may_void
from identity_tracking.admin.history import history
from identity_tracking.admin.merges import accounts_of, operations, told
from identity_tracking.admin.readonly import may_view, page_of
from identity_tracking.admin.sections import ROWS, conflicts, relationships
from identity_tracking.admin.values import plain
from identity_tracking.admin.written import attributes, mapping
from identity_tracking.identity.why import Reason, why
from identity_tracking.models import Activity, MergeOperation, Person
from identity_tracking.models.activity import first_and_last_touch
from identity_tracking.models.identifier import BEGINNING, END

EXPLAINED = 1_000  # stretches of identifiers whose claims are looked up: more than are shown
HUES = 6  # colours of avatars, as in admin.css


@dataclass(frozen=True, kw_only=True, slots=True)
class Touch:
    """A visit to which a campaign led."""

    label: str | Promise
    campaign: str
    at: datetime
    link: str


def person_page(request: HttpRequest, person: Person, folded: list[Person]) -> dict[str, Any]:
    """Return what the page of ``person`` shows, as far as the one who asks may see it.

    ``folded``: the rows that are this person, too; its ``component`` is known.
    """
    using = str(person._state.db)
    merged = operations(person.component)
    merges = merged if len(merged) < ROWS else None  # there may be more
    reasons = why(person, using, explained=EXPLAINED, merges=merges)
    keys = {reason.identifier.pk for reason in reasons}
    owned = belongings(reasons[:EXPLAINED], person, total=len(keys))
    accounts = accounts_of(request, merged, person.user_id)
    spans = _spans(reasons)
    return {
        "person": person,
        "account": accounts.of(person.user_id),
        "hue": hue(person),
        "folded": folded,
        "belongings": owned,
        "attributes": attributes(person, linked=may_view(request, Activity)),
        "merges": [told(request, row, accounts) for row in merged],
        "relationships": relationships(request, person.pk),
        "conflicts": conflicts(request, Q(identifier__in=keys) | Q(other__in=keys)),
        "shows_messages": may_view(request, Activity),
        "shows_merges": may_view(request, MergeOperation),
        "may_void": may_void(request),
        "touches": touches(request, spans, using),
        "history": history(
            request,
            spans,
            identified_by=owned.identified_by,
            people=person.component if _is_shared(reasons) else (),
        ),
    }


def _is_shared(reasons: Collection[Reason]) -> bool:
    """Say whether anything is theirs for a time only: beside it a gap may lie."""
    return any((one.since, one.until) != (BEGINNING, END) for one in reasons)


def _spans(reasons: Collection[Reason]) -> list[Q]:
    """Return what ``models.activity.spans`` does, without asking again."""
    return [
        Q(identifier=one.identifier.pk)
        if (one.since, one.until) == (BEGINNING, END)
        else Q(identifier=one.identifier.pk, timestamp__gte=one.since, timestamp__lt=one.until)
        for one in reasons
    ]


def hue(person: Person) -> int:
    """Return the number of the avatar's colour: the same on every page."""
    return int(person.anchor_id) % HUES


def touches(request: HttpRequest, spans: Sequence[Q], using: str) -> list[Touch]:
    """Return the campaigns that first and last led here; one where only one activity tells."""
    if not may_view(request, Activity):
        return []
    found = first_and_last_touch(spans, using)
    labels = (_("first touch"), _("last touch"))
    return [
        Touch(
            label=label,
            campaign=_in_words(touch),
            at=touch.timestamp,
            link=page_of(Activity, str(touch.pk)),
        )
        for label, touch in zip(labels, found, strict=False)
    ]


def _in_words(activity: Activity) -> str:
    """Return a campaign as one line: its source, medium and name, else whatever it says."""
    campaign = mapping(activity.context.get("campaign"))
    told = [campaign[name] for name in ("source", "medium", "name") if name in campaign]
    return plain(" · ".join(map(str, told or campaign)))
