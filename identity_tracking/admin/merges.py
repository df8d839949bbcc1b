"""Merges, live and undone: their screens, and what the page of a person tells of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.accounts import Accounts
from identity_tracking.admin.confirming import Deed, entrance, foreseen, may
from identity_tracking.admin.readonly import ReadOnlyAdmin, link_to, may_view, page_of
from identity_tracking.admin.search import people_called
from identity_tracking.admin.sections import ROWS
from identity_tracking.admin.values import plain
from identity_tracking.models import Activity, MergeOperation, Person
from identity_tracking.models.operation import naming

UNDO = "undo_mergeoperation"
UNDO_PAGE = "admin:identity_tracking_mergeoperation_undo"


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """A merge as a page tells it. ``by`` is empty where a message said so."""

    primary: str
    primary_link: str
    secondary: str
    secondary_link: str
    link: str
    undo: str
    at: datetime
    by: str
    reason: str
    undone_at: datetime | None
    undone_by: str
    message: str


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, Any]]:
        return [("live", _("live")), ("undone", _("undone"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() not in {"live", "undone"}:
            return None
        return queryset.filter(undone_at__isnull=self.value() == "live")


class MergeAdmin(ReadOnlyAdmin):
    list_display = ("what", "primary_shown", "secondary_shown", "by_shown", "at", "state")
    list_filter = (StateFilter,)
    ordering = ("-at", "-pk")
    search_fields = ("primary__user_id",)  # get_search_results says how
    search_help_text = _("An id, email or cio_id of either person, in full.")
    fields = ("reason",)
    change_form_template = "admin/identity_tracking/mergeoperation/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return MergeOperation.objects.select_related("primary", "secondary")

    def complete(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        accounts = accounts_of(request, rows)
        shows_people = may_view(request, Person)
        for row in rows:
            row.told, row.shows_people = told(request, row, accounts), shows_people

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not (term := search_term.strip()):
            return queryset, False
        found = people_called(term, queryset.db)
        rows = Person.objects.filter(root__in=found).values_list("pk", flat=True)
        return queryset.filter(naming([*found, *rows])), False

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        hidden = () if may_view(request, Person) else ("primary_shown", "secondary_shown")
        return tuple(name for name in self.list_display if name not in hidden)

    def get_urls(self) -> list[URLPattern]:
        undo = self.admin_site.admin_view(self.undo_view)
        name = "identity_tracking_mergeoperation_undo"
        return [path("<uuid:key>/undo/", undo, name=name), *super().get_urls()]

    def sections(self, request: HttpRequest, shown: Any) -> dict[str, Any]:
        return {"merge": shown.told, "shows_people": shown.shows_people}

    def undo_view(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        """Undo a merge, after asking."""
        operation = self.get_object(request, str(key))
        return entrance(
            self,
            request,
            operation,
            Deed(
                permission=UNDO,
                title=_("Undo this merge"),
                button=_("Undo the merge"),
                done=_("The merge was undone."),
                template="undo",
                foresee=lambda: _without(operation),
                do=lambda reason: operation.undo(by=request.user),
            ),
        )

    @admin.display(description=_("merge"))
    def what(self, operation: Any) -> SafeString | Promise:
        when = operation.reason or (_("by a message") if operation.activity_id else _("merge"))
        return format_html("<bdi>{}</bdi>", plain(str(when)))

    @admin.display(description=_("stays"))
    def primary_shown(self, operation: Any) -> SafeString:
        return link_to(Person, operation.primary_id, called(operation.primary))

    @admin.display(description=_("joined"))
    def secondary_shown(self, operation: Any) -> SafeString:
        return link_to(Person, operation.secondary_id, called(operation.secondary))

    @admin.display(description=_("by"))
    def by_shown(self, operation: Any) -> str:
        by: str = operation.told.by
        return by

    @admin.display(description=_("state"))
    def state(self, operation: MergeOperation) -> SafeString | Promise:
        if operation.undone_at is None:
            return _("live")
        return format_html('<span class="it-badge">{}</span>', _("undone"))


def _without(operation: Any) -> dict[str, Any]:
    """Return the merge, and who there would be without it."""
    if not operation.shows_people:
        return {"merge": operation.told}
    rows = Person.objects.filter(pk__in=(operation.primary_id, operation.secondary_id))
    after = foreseen(operation.undo, lambda: list(rows.select_related("root")))
    parted = {row.root or row for row in after}
    return {
        "merge": operation.told,
        "shows_people": True,
        "parted": sorted(parted, key=lambda person: person.pk),
    }


def operations(people: Collection[UUID]) -> list[MergeOperation]:
    """Return the latest merges that name any of ``people``, live and undone."""
    rows = MergeOperation.objects.filter(naming(people)).select_related("primary", "secondary")
    return list(rows.order_by("-at", "-pk")[:ROWS])


def accounts_of(
    request: HttpRequest, rows: Iterable[MergeOperation], user_id: str | None = None
) -> Accounts:
    """Return the users who did or undid these merges, and whose id ``user_id`` is."""
    keys = [key for row in rows for key in (row.by, row.undone_by)]
    return Accounts(request, ids=[user_id], keys=keys)


def told(request: HttpRequest, row: MergeOperation, accounts: Accounts) -> Merged:
    may_undo = row.undone_at is None and may(request, UNDO)
    shows_message = row.activity_id is not None and may_view(request, Activity)
    return Merged(
        primary=called(row.primary),
        primary_link=page_of(Person, row.primary_id),
        secondary=called(row.secondary),
        secondary_link=page_of(Person, row.secondary_id),
        link=page_of(MergeOperation, row.pk) if may_view(request, MergeOperation) else "",
        undo=reverse(UNDO_PAGE, args=[row.pk]) if may_undo else "",
        at=row.at,
        by=accounts.called(row.by),
        reason=plain(row.reason),
        undone_at=row.undone_at,
        undone_by=accounts.called(row.undone_by),
        message=page_of(Activity, row.activity_id) if shows_message and row.activity_id else "",
    )


def called(person: Person) -> str:
    """Return what the row of a person, folded or not, is known by of its own."""
    return plain(person.user_id or person.email or person.cio_id)
