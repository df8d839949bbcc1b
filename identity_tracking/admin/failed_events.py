"""The screens of failed events: what came in and could not be accepted, and why."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.readonly import ReadOnlyAdmin
from identity_tracking.admin.values import BRIEF, block, cut, plain
from identity_tracking.models import FailedEvent

SAMPLE = 1_000  # events: whose reasons the filter offers


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
    list_display = ("code", "message", "source", "trusted", "received_at")
    list_filter = (CodeFilter, "received_at")
    ordering = ("-received_at",)
    fields = ("code", "source", "trusted", "received_at", "payload_shown")

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
