"""The screens of failed events: what came in and could not be accepted, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from identity_tracking.admin.confirming import may
from identity_tracking.admin.readonly import ReadOnlyAdmin, may_view, page_of
from identity_tracking.admin.replaying import try_again, what_to_do
from identity_tracking.admin.values import BRIEF, block, cut, plain
from identity_tracking.ingest.transaction import database
from identity_tracking.models import FailedEvent

SAMPLE = 1_000  # events: whose reasons the filter offers
AT_ONCE = 200  # events tried again by one request
REPLAY = "replay_failedevent"
REPLAY_PAGE = "admin:identity_tracking_failedevent_replay"
LIST = "admin:identity_tracking_failedevent_changelist"


class CodeFilter(admin.SimpleListFilter):
    """The reasons among the newest events: to ask for all would read the whole table."""

    title = _("reason")
    parameter_name = "code"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, Any]]:
        newest = FailedEvent.objects.order_by("-received_at").values_list("code", flat=True)
        return [(code, code) for code in sorted(set(newest[:SAMPLE]))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        return queryset.filter(code=self.value()) if self.value() else None


class FailedEventAdmin(ReadOnlyAdmin):
    actions = ("try_chosen_again",)
    list_display = ("code", "message", "source", "trusted", "received_at")
    list_filter = (CodeFilter, "received_at")
    ordering = ("-received_at",)
    fields = ("code", "next_step", "entrance", "source", "trusted", "received_at", "payload_shown")
    change_form_template = "admin/identity_tracking/failedevent/page.html"

    def get_urls(self) -> list[URLPattern]:
        again = self.admin_site.admin_view(require_POST(self.again_view))
        name = "identity_tracking_failedevent_replay"
        return [path("<int:key>/replay/", again, name=name), *super().get_urls()]

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return may(request, REPLAY)

    def sections(self, request: HttpRequest, shown: FailedEvent) -> dict[str, Any]:
        address = reverse(REPLAY_PAGE, args=[shown.pk]) if may(request, REPLAY) else ""
        return {"failed": shown, "again": address}

    @admin.action(description=_("Try the chosen events again"), permissions=["replay"])
    def try_chosen_again(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Try them in the order in which they came: of many the first."""
        keys = list(queryset.order_by("pk").values_list("pk", flat=True)[: AT_ONCE + 1])
        try_again(request, _kept(keys[:AT_ONCE]))
        if len(keys) > AT_ONCE:
            text = _("Only the first %d were tried: for more there is manage.py replay_failed.")
            messages.warning(request, text % AT_ONCE)

    def again_view(self, request: HttpRequest, key: int) -> HttpResponse:
        """Try one again, and show it where it failed again."""
        if not may(request, REPLAY):
            raise PermissionDenied
        if not _kept([key]).exists():
            raise Http404
        try_again(request, _kept([key]))
        stays = _kept([key]).exists() and may_view(request, FailedEvent)
        return redirect(page_of(FailedEvent, str(key)) if stays else _list(request))

    @admin.display(description=_("what to do"))
    def next_step(self, failed: FailedEvent) -> str | Promise:
        return what_to_do(failed)

    @admin.display(description=_("message"))
    def message(self, failed: FailedEvent) -> str:
        return plain(cut(failed.payload, BRIEF))

    @admin.display(description=_("message"))
    def payload_shown(self, failed: FailedEvent) -> SafeString:
        try:
            payload = json.loads(failed.payload)
        except (ValueError, RecursionError):
            payload = failed.payload
        return block(payload)


def _kept(keys: Sequence[int]) -> QuerySet[FailedEvent]:
    """Return those that are there, from where they are written."""
    return FailedEvent.objects.using(database()).filter(pk__in=keys).order_by("pk")


def _list(request: HttpRequest) -> str:
    return reverse(LIST if may_view(request, FailedEvent) else "admin:index")
