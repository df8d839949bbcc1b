"""Void a wrong claim, and restore it: the entrances, beside the claim on the pages that tell it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.confirming import Deed, entrance, foreseen, may
from identity_tracking.admin.holdings import holdings
from identity_tracking.admin.readonly import ReadOnlyAdmin, may_view
from identity_tracking.admin.sections import ROWS
from identity_tracking.models import Activity, Claim, Identifier, Person

VOID = "void_claim"
RESTORE = "restore_claim"


def may_void(request: HttpRequest) -> bool:
    return may(request, VOID)


def may_restore(request: HttpRequest) -> bool:
    return may(request, RESTORE)


def claims_of(identifier: Identifier) -> QuerySet[Any]:
    """Return the latest claims of an identifier, voided ones included."""
    rows = Claim.objects.filter(weak=identifier).order_by("-time", "-pk")
    return rows.select_related("target")[:ROWS]


def void_view(admin: ReadOnlyAdmin, request: HttpRequest, key: int) -> HttpResponseBase:
    """Void a claim, after asking."""
    claim = _claim(key)
    return entrance(
        admin,
        request,
        claim,
        Deed(
            permission=VOID,
            title=_("Void this claim"),
            button=_("Void the claim"),
            done=_("The claim was voided."),
            template="void",
            foresee=lambda: _foreseen(request, claim, claim.void),
            do=lambda reason: claim.void(by=request.user, reason=reason),
        ),
    )


def restore_view(admin: ReadOnlyAdmin, request: HttpRequest, key: int) -> HttpResponseBase:
    """Let a voided claim count again, after asking."""
    claim = _claim(key)
    return entrance(
        admin,
        request,
        claim,
        Deed(
            permission=RESTORE,
            title=_("Restore this claim"),
            button=_("Restore the claim"),
            done=_("The claim counts again."),
            template="restore",
            foresee=lambda: _foreseen(request, claim, claim.restore),
            do=lambda _reason: claim.restore(),
        ),
    )


def _claim(key: int) -> Any:
    return Claim.objects.select_related("weak", "target").filter(pk=key).first()


def _foreseen(request: HttpRequest, claim: Any, do: Callable[[], None]) -> dict[str, Any]:
    """Return the claim, and whose its identifier is today, and would be."""
    shows_people = may_view(request, Person)
    return {
        "claim": _claim(claim.pk),
        "now": holdings(claim.weak) if shows_people else None,
        "then": foreseen(do, lambda: holdings(claim.weak)) if shows_people else None,
        "shows_messages": may_view(request, Activity),
    }
