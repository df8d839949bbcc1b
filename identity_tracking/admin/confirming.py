"""Deeds of staff: asked for on a page that says what will happen, done by POST, and logged."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext

from identity_tracking.admin.readonly import ReadOnlyAdmin, may_view, page_of
from identity_tracking.exceptions import IdentityTrackingError, Unavailable


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """What staff may do, and how it is told. ``do`` takes the reason that they give.

    ``back``: where it leads, default the page of what it is done to.
    """

    permission: str
    title: str | Promise
    button: str | Promise
    done: str | Promise
    template: str
    do: Callable[[str], object]
    shown: Mapping[str, Any] = field(default_factory=dict)
    back: str = ""


def entrance(admin: ReadOnlyAdmin, request: HttpRequest, row: Any, deed: Deed) -> HttpResponse:
    """Ask whether to do ``deed`` to ``row``; do it on POST."""
    if not may(request, deed.permission):
        raise PermissionDenied
    if row is None:
        raise Http404
    if request.method == "POST":
        return _do(request, row, deed)
    return _ask(admin, request, row, deed)


def may(request: HttpRequest, permission: str) -> bool:
    """Say whether the one who asks has a permission of this app."""
    user: Any = request.user
    return bool(user.has_perm(f"identity_tracking.{permission}"))


def _do(request: HttpRequest, row: Any, deed: Deed) -> HttpResponse:
    back = deed.back or _home(request, row)
    kind, key = ContentType.objects.get_for_model(row), row.pk
    try:
        deed.do(request.POST.get("reason", "").strip())
    except IdentityTrackingError as error:
        messages.error(request, _refusal(error))
    else:
        _log(request, kind, key, deed)
        messages.success(request, str(deed.done))
    return redirect(back)


def _ask(admin: ReadOnlyAdmin, request: HttpRequest, row: Any, deed: Deed) -> HttpResponse:
    context = {
        **admin.admin_site.each_context(request),
        "title": deed.title,
        "opts": admin.opts,
        "media": admin.media,
        "deed": deed,
        "back": deed.back or _home(request, row),
        **deed.shown,
    }
    template = f"admin/identity_tracking/deeds/{deed.template}.html"
    return TemplateResponse(request, template, context)


def _home(request: HttpRequest, row: Model) -> str:
    """Return the address of the row's page, for those who may see it."""
    return page_of(type(row), row.pk) if may_view(request, type(row)) else reverse("admin:index")


def _refusal(error: IdentityTrackingError) -> str:
    if isinstance(error, Unavailable):
        return gettext("The database is too busy: nothing was done. Try again.")
    return str(error)


def _log(request: HttpRequest, kind: ContentType, key: object, deed: Deed) -> None:
    """Write who did what to which row into the admin's log, without anybody's name or email.

    What is erased later shall not live on there.
    """
    user: Any = request.user
    LogEntry.objects.create(
        user_id=user.pk,
        content_type=kind,
        object_id=str(key),
        object_repr=str(key),
        action_flag=CHANGE,
        change_message=str(deed.done),
    )
