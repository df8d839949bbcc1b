"""Void one wrong claim on somebody's word, and restore it (R8 of docs/identity.md)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from identity_tracking.identity.merge import name_of
from identity_tracking.identity.settle import recount
from identity_tracking.models import Claim


def void(claim: Claim, *, by: Any, reason: str, using: str) -> None:
    """Let ``claim`` count no more, in the transaction at hand. Safe to repeat.

    The people graph is as if its message had not made it; all else that the message said stays.
    Locks the identifiers on both sides, what hangs on them, and the people concerned.
    """
    standing = Claim.objects.using(using).standing().filter(pk=claim.pk)
    mark = {
        "voided_at": datetime.now(UTC),
        "voided_by": name_of(by),
        "voided_for": reason[:254],
    }
    if standing.update(**mark):
        _recount(claim, mark, using)


def restore(claim: Claim, *, using: str) -> None:
    """Let a voided ``claim`` count again, in the transaction at hand. Safe to repeat.

    Locks what ``void`` locks.
    """
    voided = Claim.objects.using(using).filter(pk=claim.pk).exclude(voided_at=None)
    mark = {"voided_at": None, "voided_by": "", "voided_for": ""}
    if voided.update(**mark):
        _recount(claim, mark, using)


def _recount(claim: Claim, mark: dict[str, Any], using: str) -> None:
    for field, value in mark.items():
        setattr(claim, field, value)
    recount(claim, using)
