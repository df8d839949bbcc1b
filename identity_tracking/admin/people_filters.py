"""The filters of the list of people. Each reads an index, or looks among the newest seen only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.views.main import PAGE_VAR, ChangeList
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.attribute_values import Holds, meant
from identity_tracking.messages import ObjectRef
from identity_tracking.models import ObjectRelationship, Person

NEWEST = 10_000  # people: among whom is looked where no index answers
RELATED = 1_000  # people at an object who are all found, whenever they were seen


class IdentifiedFilter(admin.SimpleListFilter):
    title = _("who they are")
    parameter_name = "is"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, Any]]:
        return [("identified", _("identified")), ("lead", _("leads"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        if self.value() not in {"identified", "lead"}:
            return None
        return queryset.filter(user_id__isnull=self.value() == "lead")


class SeenFilter(admin.SimpleListFilter):
    title = _("last seen")
    parameter_name = "seen"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, Any]]:
        return [
            ("today", _("today")),
            ("7", _("in the last 7 days")),
            ("30", _("in the last 30 days")),
            ("before", _("longer ago")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        now = datetime.now(UTC)
        match self.value():
            case "today":
                return queryset.filter(
                    last_seen__gte=localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
                )
            case "7" | "30" as days:
                return queryset.filter(last_seen__gte=now - timedelta(days=int(days)))
            case "before":
                return queryset.filter(last_seen__lt=now - timedelta(days=30))
        return None


class WrittenFilter(admin.SimpleListFilter):
    """A filter whose values are written into a form. ``among``: how many people it looked at."""

    template = "admin/identity_tracking/written_filter.html"
    labels: ClassVar[dict[str, str | Promise]]  # of the fields, by parameter
    among: int | None = None

    def __init__(
        self, request: HttpRequest, params: dict[str, Any], model: type[Any], model_admin: Any
    ) -> None:
        super().__init__(request, params, model, model_admin)
        for name in self.labels:
            if given := params.pop(name, None):
                self.used_parameters[name] = given[-1]

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, Any]]:
        return ()

    def has_output(self) -> bool:
        return True

    def written(self, name: str) -> str:
        return str(self.used_parameters.get(name, "")).replace("\0", "").strip()

    @property
    def fields(self) -> Iterator[tuple[str, str | Promise, str]]:
        for name, label in self.labels.items():
            yield name, label, self.written(name)

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Give what else the list was asked for, which the form has to keep."""
        ours = {*self.labels, PAGE_VAR}
        yield {
            "without": changelist.get_query_string(remove=list(self.labels)),
            "others": [pair for pair in changelist.params.items() if pair[0] not in ours],
        }


class AttributeFilter(WrittenFilter):
    title = _("attribute")
    parameter_name = "attribute"
    labels = {"attribute": _("name"), "value": _("value")}
    among = NEWEST

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        name, value = self.written("attribute"), self.written("value")
        if not name:
            return None
        return newest_seen(queryset).filter(
            Holds("attributes", name, meant(value) if value else [])
        )


class ObjectFilter(WrittenFilter):
    title = _("object")
    parameter_name = "object"
    labels = {"object": _("type: id")}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        if not (name := self.written("object")):
            return None
        object_type, _colon, object_id = name.partition(":")
        key = ObjectRef(object_type.strip(), object_id.strip()).key
        related = ObjectRelationship.objects.using(queryset.db).filter(object=key)
        keys = list(related.values_list("identifier", flat=True)[: RELATED + 1])
        if len(keys) <= RELATED:
            return queryset.filter(pk__in=keys)
        self.among = NEWEST
        own = related.filter(identifier=OuterRef("pk"))
        return newest_seen(queryset).filter(Exists(own))


def newest_seen(people: QuerySet[Any]) -> QuerySet[Any]:
    """Keep the NEWEST people seen last, so that a filter never reads the whole table."""
    times = Person.objects.using(people.db).standing().order_by("root_id", "-last_seen")
    floor = times.values_list("last_seen", flat=True)[NEWEST : NEWEST + 1].first()
    return people.filter(last_seen__gte=floor) if floor else people
