"""The screens of conflicts: what the identity rules decided, and somebody should look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext, pgettext

from identity_tracking.admin.confirming import Deed, entrance, log, may, refusal
from identity_tracking.admin.conflict_page import SETTLE, conflict_page
from identity_tracking.admin.paging import CEILING
from identity_tracking.admin.readonly import (
    ReadOnlyAdmin,
    identifier_link,
    link_to,
    may_view,
    owner_at,
)
from identity_tracking.admin.search import refs_called
from identity_tracking.admin.values import plain
from identity_tracking.admin.wording import happened
from identity_tracking.exceptions import Unavailable
from identity_tracking.identity.merge import name_of
from identity_tracking.ingest.transaction import database, in_transaction
from identity_tracking.models import Activity, Conflict, Person
from identity_tracking.models.conflict import ConflictQuerySet

STATES = {"open": _("open"), "settled": _("settled"), "all": _("all")}


class StateFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, Any]]:
        return STATES.items()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        state = state_asked(request)
        return None if state == "all" else getattr(queryset, state)()

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Give the states alone: which one is meant where none is asked for, is one of them."""
        chosen = state_asked(self.request)
        for state, label in self.lookup_choices:
            yield {
                "selected": state == chosen,
                "query_string": changelist.get_query_string({self.parameter_name: state}),
                "display": label,
            }


class ConflictAdmin(ReadOnlyAdmin):
    list_display = ("what", "person_shown", "found_at", "state")
    list_filter = (StateFilter, "code")
    actions = ("settle_chosen",)
    search_fields = ("identifier__value",)  # get_search_results says how
    search_help_text = _("An identifier, in full.")
    fields = (
        "code",
        "what",
        "identifier_shown",
        "other_shown",
        "person_shown",
        "detail_shown",
        "message_shown",
        "found_at",
    )
    change_form_template = "admin/identity_tracking/conflict/page.html"

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Order as an index has those of one state: the open by when found, others by settled."""
        is_one = state_asked(request) != "all"
        return ("-settled_at", "-found_at") if is_one else ("-found_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = Conflict.objects.select_related("identifier", "other")
        return rows.annotate(
            owner=owner_at("identifier", "found_at"), other_owner=owner_at("other", "found_at")
        )

    def complete(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        if may_view(request, Person):
            people = Person.objects.in_bulk({row.owner for row in rows if row.owner})
            for row in rows:
                row.person = people.get(row.owner)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not (term := search_term.strip()):
            return queryset, False
        keys = [ref.key for ref in refs_called(term)]
        return queryset.filter(Q(identifier__in=keys) | Q(other__in=keys)), False

    def sections(self, request: HttpRequest, shown: Any) -> dict[str, Any]:
        return conflict_page(request, shown, (shown.owner, shown.other_owner))

    def get_urls(self) -> list[URLPattern]:
        return [
            self._url("<uuid:key>/settle/", self.settle_view, "settle"),
            self._url("<uuid:key>/reopen/", self.reopen_view, "reopen"),
            *super().get_urls(),
        ]

    def has_settle_permission(self, request: HttpRequest) -> bool:
        return may(request, SETTLE)

    @admin.action(description=_("Settle the chosen conflicts"), permissions=["settle"])
    def settle_chosen(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """Settle those that are open; one entry in the log for all."""
        keys = list(queryset.values_list("pk", flat=True)[:CEILING])
        rows, by = _written(*keys), name_of(request.user)
        try:
            settled = in_transaction(lambda: rows.settle(by=by), rows.db)
        except Unavailable as error:
            messages.error(request, refusal(error))
            return
        done = ngettext("%d conflict was settled.", "%d conflicts were settled.", settled) % settled
        log(request, Conflict, done)
        messages.success(request, done)

    def settle_view(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        """Mark a conflict as looked at, with a note, after asking."""
        deed = Deed(
            permission=SETTLE,
            title=_("Settle this conflict"),
            button=_("Settle"),
            done=_("The conflict was settled."),
            template="settle",
            names_nobody=True,
            foresee=lambda: {"conflict": conflict, "what": happened(conflict)},
            do=lambda note: _changed(
                lambda rows: rows.settle(by=name_of(request.user), note=note), key
            ),
        )
        conflict = self.get_object(request, str(key))
        return entrance(self, request, conflict, deed)

    def reopen_view(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        """Let a settled conflict be open again, after asking."""
        deed = Deed(
            permission=SETTLE,
            title=_("Open this conflict again"),
            button=_("Open again"),
            done=_("The conflict is open again."),
            template="reopen",
            names_nobody=True,
            foresee=lambda: {"conflict": conflict, "what": happened(conflict)},
            do=lambda _note: _changed(ConflictQuerySet.reopen, key),
        )
        conflict = self.get_object(request, str(key))
        return entrance(self, request, conflict, deed)

    def _url(self, route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
        guarded = self.admin_site.admin_view(view)
        return path(route, guarded, name=f"identity_tracking_conflict_{name}")

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return _permitted(request, self.list_display)

    def get_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        return _permitted(request, self.fields)

    @admin.display(description=_("what happened"))
    def what(self, conflict: Conflict) -> SafeString:
        return happened(conflict)

    @admin.display(description=_("identifier"))
    def identifier_shown(self, conflict: Conflict) -> SafeString | None:
        return identifier_link(conflict.identifier)

    @admin.display(description=_("other identifier"))
    def other_shown(self, conflict: Conflict) -> SafeString | None:
        return identifier_link(conflict.other)

    @admin.display(description=_("person"))
    def person_shown(self, conflict: Conflict) -> SafeString | None:
        person: Person | None = conflict.person  # type: ignore[attr-defined]  # complete
        return link_to(Person, person.pk, person) if person else None

    @admin.display(description=_("detail"))
    def detail_shown(self, conflict: Conflict) -> str:
        return plain(conflict.detail)

    @admin.display(description=_("message"))
    def message_shown(self, conflict: Conflict) -> SafeString | None:
        key = conflict.activity_id
        return link_to(Activity, key, pgettext("verb", "open")) if key else None

    @admin.display(description=_("state"))
    def state(self, conflict: Conflict) -> SafeString | Promise:
        if conflict.settled_at is None:
            return _("open")
        return format_html('<span class="it-badge">{}</span>', _("settled"))


def state_asked(request: HttpRequest) -> str:
    """Return which conflicts a list is to show: the open ones, but a search finds all."""
    asked = request.GET.get(StateFilter.parameter_name, "")
    if asked in STATES:
        return asked
    return "all" if request.GET.get(SEARCH_VAR) else "open"


def _written(*keys: UUID) -> ConflictQuerySet:
    """Return conflicts where they are written, as a read replica cannot be."""
    return Conflict.objects.using(database()).filter(pk__in=keys)


def _changed(change: Callable[[ConflictQuerySet], int], key: UUID) -> None:
    rows = _written(key)
    in_transaction(lambda: change(rows), rows.db)


def _permitted(request: HttpRequest, names: Iterable[str]) -> tuple[str, ...]:
    """Leave out what the one who asks may not see."""
    hidden = {"person_shown": Person, "message_shown": Activity}
    return tuple(name for name in names if name not in hidden or may_view(request, hidden[name]))
