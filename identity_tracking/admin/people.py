"""The screens of people: the list with its search, and the page of one person."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.glances import glances
from identity_tracking.admin.overview import overview_view
from identity_tracking.admin.people_filters import (
    AttributeFilter,
    IdentifiedFilter,
    ObjectFilter,
    SeenFilter,
)
from identity_tracking.admin.person_deeds import PersonDeeds
from identity_tracking.admin.person_page import hue, person_page
from identity_tracking.admin.readonly import ReadOnlyList, may_view, page_of
from identity_tracking.admin.search import people_beginning, people_called
from identity_tracking.admin.values import plain
from identity_tracking.models import Activity, ObjectRelationship, Person

BY_LAST_SEEN: dict[Any, list[Any]] = {
    "-last_seen": ["root_id", "-last_seen", "pk"],
    "last_seen": ["-root_id", "last_seen", "-pk"],
}


class PeopleList(ReadOnlyList):
    """Orders by the whole index ``person_seen``: else PostgreSQL, for all null, sorts everybody."""

    def get_ordering(self, request: HttpRequest, queryset: QuerySet[Any]) -> list[Any]:
        first, *rest = super().get_ordering(request, queryset)
        return BY_LAST_SEEN.get(first, [first, *rest])


class PersonAdmin(PersonDeeds):
    list_display = ("who", "state", "user_id", "email", "lately", "first_seen_on", "last_seen")
    list_filter = (IdentifiedFilter, SeenFilter, AttributeFilter, ObjectFilter)
    ordering = ("-last_seen",)
    sortable_by = ("user_id", "email", "last_seen")
    search_fields = ("user_id", "email")  # get_search_results says how
    search_help_text = _(
        "An id, email, cio_id or anonymous id in full; or the beginning of an id or email."
    )
    fields = ("cio_id",)
    change_form_template = "admin/identity_tracking/person/page.html"

    def get_urls(self) -> list[URLPattern]:
        overview = self.admin_site.admin_view(partial(overview_view, self))
        return [path("overview/", overview, name="identity_tracking_overview"), *super().get_urls()]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        shows_activity = may_view(request, Activity)
        return [name for name in self.list_display if shows_activity or name != "lately"]

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        shows_objects = may_view(request, ObjectRelationship)
        return [one for one in self.list_filter if shows_objects or one is not ObjectFilter]

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return PeopleList

    def complete(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        if may_view(request, Activity):
            seen = glances([person.pk for person in rows])
            for person in rows:
                person.glance = seen[person.pk]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        people = queryset.defer("provenance", "claimed")
        if not (term := search_term.strip()):
            return people.filter(root=None), False
        using = people.db
        found = people_called(term, using) or people_beginning(term, using)
        return people.filter(pk__in=found), False

    @admin.display(description=_("last 30 days"))
    def lately(self, person: Any) -> SafeString:
        glance = "admin/identity_tracking/_glance.html"
        return render_to_string(glance, {"sparkline": person.glance})

    @admin.display(description=_("first seen"))
    def first_seen_on(self, person: Person) -> str:
        return date_format(localtime(person.first_seen))

    def elsewhere(self, shown: Person) -> str:
        return page_of(Person, shown.root_id) if shown.root_id else ""

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        """Return a person, with all rows that are this person: one query for both."""
        try:
            key = UUID(object_id)
        except ValueError:
            return None
        rows: dict[UUID, Any] = {
            row.pk: row for row in Person.objects.filter(Q(pk=key) | Q(root=key))
        }
        if person := rows.pop(key, None):
            person.component = [key, *rows]
            person.rows_folded = list(rows.values())
        return person

    def sections(self, request: HttpRequest, shown: Any) -> dict[str, Any]:
        page = person_page(request, shown, shown.rows_folded)
        return {"deeds": self.deeds(request, shown), **page}

    @admin.display(description=_("name"))
    def who(self, person: Person) -> SafeString:
        return format_html(
            '<span class="it-avatar it-hue-{}" aria-hidden="true">{}</span> '
            '<bdi class="{}">{}</bdi>',
            hue(person),
            person.initials,
            "it-name" if person.full_name else "it-nameless",
            plain(str(person)),
        )

    @admin.display(description=_("status"))
    def state(self, person: Person) -> SafeString | Promise:
        if not person.is_lead:
            return _("identified")
        return format_html('<span class="it-badge">{}</span>', _("lead"))
