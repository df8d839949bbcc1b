"""The screens of objects, and who relates to them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.paging import CappedPaginator
from identity_tracking.admin.readonly import ReadOnlyAdmin, may_view
from identity_tracking.admin.sections import related
from identity_tracking.admin.values import plain
from identity_tracking.admin.written import Attribute, attributes, keys
from identity_tracking.identity import descriptions
from identity_tracking.messages import ObjectRef
from identity_tracking.models import Activity, ObjectRelationship, Person, TrackedObject

PER_PAGE = 50


class TrackedObjectAdmin(ReadOnlyAdmin):
    list_display = ("id_shown", "type_shown", "created_at")
    ordering = ("-created_at",)
    search_fields = ("object_id",)  # get_search_results says how
    search_help_text = _("A type and an id, as in “company: acme”, or one of them, in full.")
    fields = ("object_id",)
    change_form_template = "admin/identity_tracking/trackedobject/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return what the list shows: a deleted object has a page all the same."""
        rows = super().get_queryset(request)
        match = request.resolver_match
        is_page = match is not None and "object_id" in match.kwargs
        return rows if is_page else rows & TrackedObject.objects.standing()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        if not (term := search_term.strip()):
            return queryset, False
        object_type, _colon, object_id = term.partition(":")
        exact = queryset.filter(pk=ObjectRef(object_type.strip(), object_id.strip()).key)
        if exact.exists():
            return exact, False
        return queryset.filter(Q(object_id=term) | Q(object_type=term)), False

    def sections(self, request: HttpRequest, shown: TrackedObject) -> dict[str, Any]:
        written = {"attributes": _attributes(request, shown)}
        if not may_view(request, ObjectRelationship):
            return written
        page = CappedPaginator(_relationships(shown), PER_PAGE).get_page(request.GET.get("page"))
        shows_people = may_view(request, Person)
        return {
            **written,
            "people": _people(shown) if shows_people else "",
            "page": page,
            "numbers": page.paginator.get_elided_page_range(page.number),
            "related": [related(row, _person(row) if shows_people else None) for row in page],
        }

    @admin.display(description=_("id"))
    def id_shown(self, tracked: TrackedObject) -> str:
        return plain(tracked.object_id)

    @admin.display(description=_("type"))
    def type_shown(self, tracked: TrackedObject) -> str:
        return plain(tracked.object_type)


def _attributes(request: HttpRequest, shown: TrackedObject) -> list[Attribute]:
    """Return what is said of an object; an API's call may have no message to lead to."""
    come_to = descriptions.shown(shown.registers or {})
    written = replace(come_to, attributes=shown.attributes)
    linked = may_view(request, Activity)
    found = Activity.objects.filter(pk__in=keys(written)).values_list("pk", flat=True)
    return attributes(written, linked=linked, among=set(found) if linked else None)


def _people(tracked: TrackedObject) -> str:
    """Return the address of the list of people who relate to an object."""
    return reverse("admin:identity_tracking_person_changelist", query={"object": str(tracked)})


def _relationships(tracked: TrackedObject) -> QuerySet[Any]:
    """Return who relates to an object, the latest first, each with their person."""
    rows = ObjectRelationship.objects.filter(object=tracked).order_by("-pk")
    return rows.select_related("object", "identifier__person__root")


def _person(row: ObjectRelationship) -> Person | None:
    """Return whose relationship it is; None for an anonymous visitor."""
    person: Person | None = getattr(row.identifier, "person", None)
    return person and (person.root or person)
