"""Deeds of staff: asked for on a page that says what will happen, done by POST, and logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.readonly import StockAdmin, may_view, page_of
from identity_tracking.exceptions import IdentityTrackingError
from identity_tracking.ingest.transaction import database, in_transaction
from identity_tracking.models import Claim

REFUSALS: Mapping[str, str | Promise] = {
    "unavailable": _("The database is too busy: nothing was done. Try again."),
    "same_person": _("A person cannot be merged with themselves."),
    "deleted": _("One of the two was deleted: nobody was merged."),
    "suppression_key_missing": _("Nobody can be erased: the setting SUPPRESSION_KEY is missing."),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """What staff may do, and how it is told. ``do`` takes the reason that they give.

    Where ``do`` returns a response, that is the answer: a file.

    ``foresee``: returns what the page that asks shows. ``back``: where it leads, default the page
    of what it is done to. ``forgets``: afterwards nothing may tell to whom it was done.
    ``names_nobody``: the log does not say to which row, as the key of a conflict is made of names.
    """

    permission: str
    title: str | Promise
    button: str | Promise
    done: str | Promise
    template: str
    do: Callable[[str], object]
    foresee: Callable[[], Mapping[str, Any]] = dict
    back: str = ""
    forgets: bool = False
    names_nobody: bool = False


def entrance(admin: StockAdmin, request: HttpRequest, row: Any, deed: Deed) -> HttpResponseBase:
    """Ask whether to do ``deed`` to ``row``; do it on POST."""
    if not may(request, deed.permission):
        raise PermissionDenied
    if row is None:
        raise Http404
    try:
        return (
            _do(request, row, deed) if request.method == "POST" else _ask(admin, request, row, deed)
        )
    except IdentityTrackingError as error:
        messages.error(request, refusal(error))
        return redirect(_home(request, row))


def foreseen(do: Callable[[], object], look: Callable[[], Any]) -> Any:
    """Return what ``look`` would see after ``do``, which is taken back unseen by anybody.

    Locks what ``do`` locks, and raises what it raises.
    """
    using = database()

    def rehearse() -> Any:
        do()
        seen = look()
        transaction.set_rollback(True, using)
        return seen

    return in_transaction(rehearse, using)


def may(request: HttpRequest, permission: str) -> bool:
    """Say whether the one who asks has a permission of this app."""
    user: Any = request.user
    return bool(user.has_perm(f"identity_tracking.{permission}"))


def _do(request: HttpRequest, row: Any, deed: Deed) -> HttpResponseBase:
    model, key = type(row), "" if deed.forgets or deed.names_nobody else str(row.pk)
    answer = deed.do(request.POST.get("reason", "").strip())
    log(request, model, str(deed.done), key=key, is_deletion=deed.forgets)
    if isinstance(answer, HttpResponseBase):
        return answer
    messages.success(request, str(deed.done))
    return redirect(deed.back or _home(request, row))


def _ask(admin: StockAdmin, request: HttpRequest, row: Any, deed: Deed) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "title": deed.title,
        "opts": admin.opts,
        "media": admin.media,
        "deed": deed,
        "row": row,
        "back": _home(request, row),
        **deed.foresee(),
    }
    template = f"admin/identity_tracking/deeds/{deed.template}.html"
    return TemplateResponse(request, template, context)


def _home(request: HttpRequest, row: Model) -> str:
    """Return the address of the page that tells of ``row``, for those who may see it."""
    told: Model = row.weak if isinstance(row, Claim) else row
    return page_of(type(told), told.pk) if may_view(request, type(told)) else reverse("admin:index")


def refusal(error: IdentityTrackingError) -> str:
    """Return why nothing was done, in words."""
    return str(REFUSALS.get(error.code, error))


def log(
    request: HttpRequest, model: type[Model], done: str, *, key: str = "", is_deletion: bool = False
) -> None:
    """Write who did what to which row into the admin's log, without anybody's name or email.

    What is erased later shall not live on there.
    """
    user: Any = request.user
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=ContentType.objects.get_for_model(model),
        object_id=key or None,
        object_repr=done,
        action_flag=DELETION if is_deletion else CHANGE,
        change_message=done,
    )
