"""The screen of activities: what visitors and people did, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.days import DayFilter, Period, period_asked
from identity_tracking.admin.readonly import (
    ReadOnlyAdmin,
    identifier_link,
    link_to,
    may_view,
    short_link,
)
from identity_tracking.admin.search import refs_called
from identity_tracking.admin.timeline import newest
from identity_tracking.admin.values import block, plain, web_link
from identity_tracking.conf import conf
from identity_tracking.identifiers import digest
from identity_tracking.messages import Type
from identity_tracking.models import Activity, Person, Source
from identity_tracking.models.activity import ActivityQuerySet

WINDOW = 100_000  # activities: how far back a look-up goes that no index answers
FOUND = 1_000  # activities: how many of an identifier's the search finds
SAMPLE = 1_000  # activities whose sources are tried with a message id


class TypeFilter(admin.SimpleListFilter):
    title = _("type, among the newest")
    parameter_name = "type"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, Any]]:
        return Type.choices

    def queryset(self, request: HttpRequest, queryset: Any) -> ActivityQuerySet | None:
        if self.value() not in Type.values:
            return None
        return recent(queryset, period_asked(request)).filter(type=self.value())


class SourceFilter(admin.SimpleListFilter):
    """The source, where the site has more than the settings'."""

    title = _("source, among the newest")
    parameter_name = "source"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, Any]]:
        rows = Source.objects.order_by("name").values_list("site_id", "name")
        others = [(site_id, plain(name)) for site_id, name in rows]
        return [(conf.SITE_ID, plain(conf.SITE_ID)), *others] if others else []

    def queryset(self, request: HttpRequest, queryset: Any) -> ActivityQuerySet | None:
        if self.value() not in dict(self.lookup_choices):
            return None
        return recent(queryset, period_asked(request)).filter(source=self.value())


class ActivityAdmin(ReadOnlyAdmin):
    list_display = ("what", "type", "who", "person_shown", "timestamp")
    list_filter = (DayFilter, TypeFilter, SourceFilter)
    ordering = ("-timestamp", "-pk")
    search_fields = ("message_id",)  # get_search_results says how
    search_help_text = _("A message id, an identifier or the name of an event, in full.")
    fields = (
        "type",
        "name_shown",
        "identifier_shown",
        "person_shown",
        "timestamp",
        "received_at",
        "page",
        "properties_shown",
        "context_shown",
        "source",
        "trusted",
        "message_id",
    )

    def get_queryset(self, request: HttpRequest) -> ActivityQuerySet:
        rows = Activity.objects.select_related("identifier")
        return rows.with_person() if may_view(request, Person) else rows

    def get_search_results(
        self,
        request: HttpRequest,
        queryset: Any,
        search_term: str,
    ) -> tuple[ActivityQuerySet, bool]:
        term = search_term.strip()
        found = _found(queryset, term, period_asked(request)) if term else queryset
        return found, False

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return _permitted(request, self.list_display)

    def get_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        return _permitted(request, self.fields)

    @admin.display(description=_("activity"))
    def what(self, activity: Activity) -> str:
        return plain(str(activity))

    @admin.display(description=_("name"))
    def name_shown(self, activity: Activity) -> str:
        return plain(activity.name)

    @admin.display(description=_("identifier"))
    def who(self, activity: Activity) -> SafeString:
        return short_link(activity.identifier)

    @admin.display(description=_("identifier"))
    def identifier_shown(self, activity: Activity) -> SafeString | None:
        return identifier_link(activity.identifier)

    @admin.display(description=_("person"))
    def person_shown(self, activity: Activity) -> SafeString | None:
        person = activity.person
        return link_to(Person, person.pk, person) if person else None

    @admin.display(description=_("page"))
    def page(self, activity: Activity) -> SafeString | str:
        page = activity.context.get("page")
        return web_link(page.get("url")) if isinstance(page, dict) else ""

    @admin.display(description=_("properties"))
    def properties_shown(self, activity: Activity) -> SafeString:
        return block(activity.properties)

    @admin.display(description=_("context"))
    def context_shown(self, activity: Activity) -> SafeString:
        return block(activity.context)


def recent(activities: ActivityQuerySet, period: Period | None = None) -> ActivityQuerySet:
    """Keep the newest WINDOW of a period, or of all, so that a filter reads no whole table."""
    times = Activity.objects.using(activities.db).order_by("-timestamp")
    if period:
        times = times.filter(timestamp__lt=period.until)
    floor = times.values_list("timestamp", flat=True)[WINDOW : WINDOW + 1].first()
    return activities.filter(timestamp__gte=floor) if floor else activities


def _permitted(request: HttpRequest, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name != "person_shown" or may_view(request, Person))


def _found(activities: ActivityQuerySet, term: str, period: Period | None) -> ActivityQuerySet:
    """Return what ``term`` means: the message, else an identifier's newest, else an event's."""
    keys = _keys_of_message(term, activities.db)
    message = activities.filter(pk__in=keys)
    if message.exists():
        return message
    spans = [Q(identifier=ref.key) for ref in refs_called(term)]
    own = newest(activities, spans, FOUND)
    return own if own.exists() else recent(activities, period).filter(name=term)


def _keys_of_message(term: str, using: str) -> list[UUID]:
    """Return the keys that an activity with this message id, or this key, can have."""
    newest_first = Activity.objects.using(using).order_by("-timestamp")
    recent_sources = set(newest_first.values_list("source", flat=True)[:SAMPLE])
    rows = Source.objects.using(using).values_list("site_id", flat=True)
    sources = recent_sources | {conf.SITE_ID, *rows}
    keys = [digest(source, trusted, term) for source in sources for trusted in ("0", "1")]
    try:
        return [*keys, UUID(term)]
    except ValueError:
        return keys
