"""What staff may do to people: merge, export, delete, erase. Entrances: the rules are elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.confirming import Deed, entrance, may
from identity_tracking.admin.copying import copy_of
from identity_tracking.admin.paging import CEILING
from identity_tracking.admin.readonly import ReadOnlyAdmin, may_view, page_of
from identity_tracking.admin.search import people_beginning, people_called
from identity_tracking.admin.sides import sides
from identity_tracking.admin.timeline import read
from identity_tracking.models import Activity, Ownership, Person
from identity_tracking.models.activity import spans
from identity_tracking.privacy.suppression import require_key
from identity_tracking.rights import delete, erase
from identity_tracking.shortcuts import merge

MERGE = "merge_person"
EXPORT = "export_person"
DELETE = "delete_person"
ERASE = "erase_person"
LIST = "admin:identity_tracking_person_changelist"
MERGE_PAGE = "admin:identity_tracking_person_merge"
CHOICES = 20  # people whom a search for the other one offers


class PersonDeeds(ReadOnlyAdmin):
    """The actions of the list, and the pages that ask before anything is done."""

    actions = ("merge_two",)

    def get_urls(self) -> list[URLPattern]:
        return [
            self._url("merge/<uuid:key>/", self.other_view, "other"),
            self._url("merge/<uuid:primary>/<uuid:secondary>/", self.merge_view, "merge"),
            self._url("<uuid:key>/export/", self.export_view, "export"),
            self._url("<uuid:key>/erase/", self.erase_view, "erase"),
            *super().get_urls(),
        ]

    def deeds(self, request: HttpRequest, person: Person) -> list[tuple[str, Any]]:
        """Return addresses, and what is done there, as far as the one who asks may do it."""
        deeds = [
            (MERGE, "other", _("Merge with …")),
            (EXPORT, "export", _("Export …")),
            (DELETE, "delete", _("Delete …")),
            (ERASE, "erase", _("Erase …")),
        ]
        return [
            (reverse(f"admin:identity_tracking_person_{page}", args=[person.pk]), label)
            for permission, page, label in deeds
            if may(request, permission)
        ]

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return may(request, MERGE)

    @admin.action(description=_("Merge two people"), permissions=["merge"])
    def merge_two(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        people = list(queryset.order_by("first_seen", "pk")[:3])
        if len(people) == 2:  # noqa: PLR2004
            return redirect(MERGE_PAGE, *(person.pk for person in people))
        messages.error(request, _("Select two people to merge."))
        return None

    def other_view(self, request: HttpRequest, key: UUID) -> HttpResponse:
        """Search the other person to merge with."""
        if not may(request, MERGE):
            raise PermissionDenied
        if (person := self._standing(request, key)) is None:
            raise Http404
        term = request.GET.get("q", "").strip()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Merge with …"),
            "opts": self.opts,
            "media": self.media,
            "person": person,
            "subject": person,
            "term": term,
            "choices": _others(person, term) if term else [],
            "back": page_of(Person, person.pk),
        }
        return TemplateResponse(request, "admin/identity_tracking/deeds/other.html", context)

    def merge_view(self, request: HttpRequest, primary: UUID, secondary: UUID) -> HttpResponseBase:
        """Merge two people, after showing them side by side."""
        one, other = (self._standing(request, key) for key in (primary, secondary))
        deed = Deed(
            permission=MERGE,
            title=_("Merge two people"),
            button=_("Merge"),
            done=_("The two are one person now."),
            template="merge",
            foresee=lambda: sides(one, other),
            do=lambda reason: merge(one, other, by=request.user, reason=reason),
        )
        return entrance(self, request, other and one, deed)

    def export_view(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        """Hand out a copy of all that is kept of a person, after asking."""
        person = self._standing(request, key)
        deed = Deed(
            permission=EXPORT,
            title=_("Export this person"),
            button=_("Export"),
            done=_("The person was exported."),
            template="export",
            foresee=lambda: _at_stake(person),
            do=lambda _reason: copy_of(person, request.POST.get("format", "")),
        )
        return entrance(self, request, person, deed)

    def delete_view(  # type: ignore[override]
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        """Delete a person, after asking."""
        person = self._standing(request, object_id)
        deed = Deed(
            permission=DELETE,
            title=_("Delete this person"),
            button=_("Delete"),
            done=_("The person was deleted."),
            template="delete",
            foresee=lambda: _at_stake(person),
            back=_list(request),
            forgets=True,
            do=lambda _reason: delete(person, by=request.user),
        )
        return entrance(self, request, person, deed)

    def erase_view(self, request: HttpRequest, key: UUID) -> HttpResponseBase:
        """Erase a person for ever, after asking."""
        person = self._standing(request, key)
        deed = Deed(
            permission=ERASE,
            title=_("Erase this person"),
            button=_("Erase for ever"),
            done=_("The person was erased."),
            template="erase",
            foresee=lambda: _at_stake_for_ever(person),
            back=_list(request),
            forgets=True,
            do=lambda _reason: erase(person, by=request.user),
        )
        return entrance(self, request, person, deed)

    def _standing(self, request: HttpRequest, key: UUID | str) -> Any:
        """Return a person who did not fold into another, or None."""
        person = self.get_object(request, str(key))
        return None if person is None or person.root_id else person

    def _url(self, route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
        guarded = self.admin_site.admin_view(view)
        return path(route, guarded, name=f"identity_tracking_person_{name}")


def _list(request: HttpRequest) -> str:
    return reverse(LIST if may_view(request, Person) else "admin:index")


def _others(person: Person, term: str) -> Iterable[Person]:
    """Return the people whom ``term`` may mean, without ``person``."""
    using = str(person._state.db)
    found = people_called(term, using) or people_beginning(term, using)
    people = Person.objects.filter(pk__in=found - {person.pk}).defer("provenance", "claimed")
    return people.order_by("-last_seen")[:CHOICES]


def _at_stake(person: Person) -> dict[str, Any]:
    """Return how much there is of a person: activities are counted to a ceiling."""
    mine = Ownership.objects.of(person.component)
    return {
        "person": person,
        "identifiers": mine.values("identifier").distinct().count(),
        "activities": read(Activity.objects.all(), spans(person), 1),
        "ceiling": CEILING,
    }


def _at_stake_for_ever(person: Person) -> dict[str, Any]:
    """Return the same, where anybody can be erased. Raises SuppressionKeyMissing."""
    require_key()
    return _at_stake(person)
