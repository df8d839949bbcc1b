"""The screens of conflicts: what the identity rules decided, and somebody should look at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

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
from identity_tracking.models import Activity, Conflict, Person


class ConflictAdmin(ReadOnlyAdmin):
    list_display = ("what", "person_shown", "found_at")
    list_filter = ("code",)
    ordering = ("-found_at",)
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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = Conflict.objects.select_related("identifier", "other")
        return rows.annotate(owner=owner_at("identifier", "found_at"))

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
        return link_to(Activity, key, _("open")) if key else None


def _permitted(request: HttpRequest, names: Iterable[str]) -> tuple[str, ...]:
    """Leave out what the one who asks may not see."""
    hidden = {"person_shown": Person, "message_shown": Activity}
    return tuple(name for name in names if name not in hidden or may_view(request, hidden[name]))
