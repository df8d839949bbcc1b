"""The screens of anonymous visitors; its search finds every identifier, whosever it is."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.claims import (
    claims_of,
    may_restore,
    may_void,
    restore_view,
    void_view,
)
from identity_tracking.admin.history import history
from identity_tracking.admin.holdings import holdings
from identity_tracking.admin.readonly import ReadOnlyAdmin, may_view
from identity_tracking.admin.search import refs_called
from identity_tracking.admin.sections import conflicts, relationships
from identity_tracking.admin.values import plain
from identity_tracking.identifiers import Kind
from identity_tracking.models import Activity, Identifier, Ownership, Person
from identity_tracking.models.activity import NEWEST_FIRST
from identity_tracking.models.identifier import BEGINNING

WINDOW = 20_000  # browsers: among whom those that are nobody's are listed


class VisitorAdmin(ReadOnlyAdmin):
    list_title = _("anonymous visitors")
    list_display = ("value_shown", "kind", "created_at", "last_activity")
    ordering = ("-created_at",)
    search_fields = ("value",)  # get_search_results says how
    search_help_text = _("An anonymous id, id or email, in full.")
    fields = ("value",)
    change_form_template = "admin/identity_tracking/identifier/page.html"

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self.list_display if may_view(request, Activity) else self.list_display[:-1]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        latest = Activity.objects.filter(identifier=OuterRef("pk")).order_by(*NEWEST_FIRST)
        return Identifier.objects.annotate(latest=Subquery(latest.values("timestamp")[:1]))

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if term := search_term.strip():
            return queryset.filter(pk__in=[ref.key for ref in refs_called(term)]), False
        return _nobodys(queryset), False

    def sections(self, request: HttpRequest, shown: Identifier) -> dict[str, Any]:
        return {
            "identifier": shown,
            "holdings": holdings(shown) if may_view(request, Person) else None,
            "claims": claims_of(shown),
            "may_void": may_void(request),
            "may_restore": may_restore(request),
            "shows_messages": may_view(request, Activity),
            "relationships": relationships(request, shown.pk),
            "conflicts": conflicts(request, Q(identifier=shown) | Q(other=shown)),
            "history": history(request, [Q(identifier=shown)]),
        }

    def get_urls(self) -> list[URLPattern]:
        void = self.admin_site.admin_view(partial(void_view, self))
        restore = self.admin_site.admin_view(partial(restore_view, self))
        return [
            path("claim/<int:key>/void/", void, name="identity_tracking_claim_void"),
            path("claim/<int:key>/restore/", restore, name="identity_tracking_claim_restore"),
            *super().get_urls(),
        ]

    @admin.display(description=_("visitor"))
    def value_shown(self, identifier: Identifier) -> str:
        return plain(identifier.value)

    @admin.display(description=_("last activity"))
    def last_activity(self, identifier: Identifier) -> datetime | None:
        latest: datetime | None = identifier.latest  # type: ignore[attr-defined]  # annotated
        return latest


def _nobodys(identifiers: QuerySet[Any]) -> QuerySet[Any]:
    """Keep browsers that are nobody's, of the newest WINDOW: each is looked up by an index.

    As a join databases would rather read whose everything is, as a whole.
    """
    visitors = Identifier.objects.using(identifiers.db).visitors().order_by("-created_at")
    floor = visitors.values_list("created_at", flat=True)[WINDOW : WINDOW + 1].first()
    newest = identifiers.filter(kind=Kind.ANONYMOUS_ID, created_at__gte=floor or BEGINNING)
    held = Ownership.objects.filter(identifier=OuterRef("pk")).order_by("since")
    nobodys: QuerySet[Any] = newest.alias(held=Subquery(held.values("pk")[:1])).filter(held=None)
    return nobodys
