"""What the page of a conflict shows beside it: whom it concerns, and what staff can do about it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.accounts import Accounts
from identity_tracking.admin.claims import claims_of, may_restore, may_void
from identity_tracking.admin.confirming import may
from identity_tracking.admin.merges import called
from identity_tracking.admin.person_deeds import MERGE, MERGE_PAGE
from identity_tracking.admin.readonly import may_view, page_of
from identity_tracking.admin.values import plain
from identity_tracking.models import Activity, Conflict, Identifier, Person
from identity_tracking.models.conflict import Code

SETTLE = "settle_conflict"
SHOWN = 10  # people whom a conflict concerns

WHAT_TO_DO: Mapping[str, str | Promise] = {
    Code.IDENTIFIER_REFUSED: _("Mend the page or the code that sends it."),
    Code.UNKNOWN_CIO_ID: _("Mend the page or the code that sends it."),
    Code.EMAIL_OF_TWO_IDS: _(
        "The email alone means the one who claimed it last. Merge them if they are one human; "
        "void the claim that is a mistake."
    ),
    Code.EMAIL_NOT_COUNTED: _(
        "Nothing: it did not count. Merge the two if you know that they are one human."
    ),
    Code.TOO_MANY_PEOPLE: _(
        "The device attributes nothing to anybody. Void claims that were tests; raise "
        "PEOPLE_PER_BROWSER if that many people are usual."
    ),
    Code.LINK_ELSEWHERE: _("Nothing: nothing changed. Somebody may have forwarded a mail."),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Concerned:
    """Somebody whom a conflict concerns. ``compare``: where the first one is merged with them."""

    name: str
    called: str  # what tells two of one name apart
    link: str
    compare: str


def conflict_page(
    request: HttpRequest, conflict: Conflict, owners: Sequence[UUID | None]
) -> dict[str, Any]:
    """Return what the one who asks may see and do. ``owners``: whose its identifiers were."""
    is_settled = conflict.settled_at is not None
    accounts = Accounts(request, keys=[conflict.settled_by]) if is_settled else None
    claims = list(claims_of(conflict.identifier)) if may_view(request, Identifier) else []
    targets = [claim.target_id for claim in claims]
    return {
        "conflict": conflict,
        "note": plain(conflict.note),
        "settled_by": accounts.called(conflict.settled_by) if accounts else "",
        "what_to_do": WHAT_TO_DO.get(conflict.code, ""),
        "concerned": _concerned(request, [*owners, conflict.other_id, *targets]),
        "claims": claims,
        "may_void": may_void(request),
        "may_restore": may_restore(request),
        "shows_messages": may_view(request, Activity),
        "deed": _deed(conflict) if may(request, SETTLE) else "",
    }


def _deed(conflict: Conflict) -> str:
    """Return where it is settled, or opened again."""
    page = "settle" if conflict.settled_at is None else "reopen"
    return reverse(f"admin:identity_tracking_conflict_{page}", args=[conflict.pk])


def _concerned(request: HttpRequest, keys: Sequence[UUID | None]) -> list[Concerned]:
    """Return the people who are, or became, those that the keys are of; in their order."""
    if not may_view(request, Person):
        return []
    order = list(dict.fromkeys(key for key in keys if key))
    rows = Person.objects.select_related("root").in_bulk(order)
    found = (rows[key] for key in order if key in rows)
    people = list({row.root_id or row.pk: row.root or row for row in found}.values())
    first, may_merge = people[:1], may(request, MERGE)
    return [
        Concerned(
            name=plain(str(person)),
            called=called(person),
            link=page_of(Person, person.pk),
            compare=_compare(first[0], person) if may_merge and [person] != first else "",
        )
        for person in people[:SHOWN]
    ]


def _compare(one: Person, other: Person) -> str:
    return reverse(MERGE_PAGE, args=[one.pk, other.pk])
