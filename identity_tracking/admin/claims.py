"""Void a wrong claim, and restore it: the entrances, beside the claim on the pages that tell it."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.confirming import Deed, entrance, may
from identity_tracking.admin.readonly import ReadOnlyAdmin, may_view, page_of
from identity_tracking.admin.sections import ROWS
from identity_tracking.models import Activity, Claim, Identifier

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


def void_view(admin: ReadOnlyAdmin, request: HttpRequest, key: int) -> HttpResponse:
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
            shown=_shown(request, claim),
            back=_home(request, claim),
            do=lambda reason: claim.void(by=request.user, reason=reason),
        ),
    )


def restore_view(admin: ReadOnlyAdmin, request: HttpRequest, key: int) -> HttpResponse:
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
            shown=_shown(request, claim),
            back=_home(request, claim),
            do=lambda _reason: claim.restore(),
        ),
    )


def _claim(key: int) -> Any:
    return Claim.objects.select_related("weak", "target").filter(pk=key).first()


def _shown(request: HttpRequest, claim: Any) -> dict[str, Any]:
    """Return the claim, and what else is said of the same identifier."""
    if claim is None:
        return {}
    others = Claim.objects.counting().filter(weak=claim.weak_id).exclude(pk=claim.pk)
    return {
        "claim": claim,
        "others": others.select_related("target").order_by("-time")[:ROWS],
        "shows_messages": may_view(request, Activity),
    }


def _home(request: HttpRequest, claim: Any) -> str:
    if claim is None or not may_view(request, Identifier):
        return ""
    return page_of(Identifier, claim.weak_id)
