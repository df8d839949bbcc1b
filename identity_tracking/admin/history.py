"""A history as a page shows it: days of entries, with the moments of identification marked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import groupby, pairwise
from uuid import UUID

from django.core.paginator import Page
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.readonly import may_view, page_of
from identity_tracking.admin.timeline import TimelinePaginator, types_within
from identity_tracking.admin.values import BRIEF, cut, path_here, plain, readable, web_address
from identity_tracking.admin.wording import attributes_in_words, relations_of
from identity_tracking.messages import RELATIONSHIPS, Relation, Type
from identity_tracking.models import Activity, Identifier, TrackedObject
from identity_tracking.payloads import Json

PER_PAGE = 50
FACTS = 4  # properties of an entry that are shown
FACT = 60  # characters of a property that are shown

IDENTIFYING = {Type.IDENTIFY, Type.FORM, Type.LINK}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One activity of a timeline. ``identifies``: here an anonymous visitor said who they are."""

    activity: Activity
    who: str
    title: str
    facts: Sequence[tuple[str, str]]
    more_facts: int
    page: str
    link: str
    details: str
    identifies: bool
    visitor: str
    relations: Sequence[Related]
    more_relations: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Related:
    """An object that a message related somebody to, or no longer does."""

    name: str
    link: str
    present: bool
    attributes: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Viewer:
    """Where the one who asks looks from, and whether they may see objects."""

    host: str
    sees_objects: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Day:
    date: date
    entries: Sequence[Entry]


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A type to show alone. ``query`` is the address's part after the "?"."""

    label: str | Promise
    query: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """One page of a timeline."""

    days: Sequence[Day]
    page: Page[Activity]
    choices: Sequence[Choice] = field(default=())
    type: str = ""

    @property
    def numbers(self) -> Iterator[int | str]:
        return self.page.paginator.get_elided_page_range(
            self.page.number, on_each_side=2, on_ends=1
        )

    @property
    def query(self) -> str:
        """What the addresses of other pages have in common."""
        return f"type={self.type}&" if self.type else ""


def history(
    request: HttpRequest, spans: Sequence[Q], identified_by: Collection[UUID] = ()
) -> History | None:
    """Return the page of a history that ``request`` asks for; None if it may not see any.

    ``identified_by`` are the keys of activities known to have identified a visitor.
    """
    if not may_view(request, Activity):
        return None
    activities = Activity.objects.select_related("identifier")
    wanted = request.GET.get("type", "")
    if wanted in Type.values:
        activities = activities.filter(type=wanted)
    else:
        wanted = ""
    page = TimelinePaginator(activities, PER_PAGE, spans=spans).get_page(request.GET.get("page"))
    rows = list(page.object_list)
    marked = {*identified_by, *_turning_points(rows)}
    viewer = Viewer(host=request.get_host(), sees_objects=may_view(request, TrackedObject))
    entries = [_entry(row, viewer, identifies=row.pk in marked) for row in rows]
    choices = _choices(wanted, types_within(spans))
    return History(days=_days(entries), page=page, choices=choices, type=wanted)


def _turning_points(rows: Sequence[Activity]) -> Iterator[UUID]:
    """Give the activities that say who somebody is, right after anonymous ones."""
    for newer, older in pairwise(rows):
        if newer.type in IDENTIFYING and older.is_anonymous and not newer.is_anonymous:
            yield newer.pk


def _days(entries: Sequence[Entry]) -> list[Day]:
    days = groupby(entries, key=lambda entry: timezone.localtime(entry.activity.timestamp).date())
    return [Day(date=day, entries=list(of_day)) for day, of_day in days]


def _choices(wanted: str, types: Collection[str]) -> list[Choice]:
    every = Choice(label=_("all"), query="", is_chosen=not wanted)
    offered = [
        Choice(label=type_.label, query=f"type={type_.value}", is_chosen=type_ == wanted)
        for type_ in Type
        if type_ in types or type_ == wanted
    ]
    return [every, *offered]


def _entry(activity: Activity, viewer: Viewer, *, identifies: bool) -> Entry:
    page = activity.context.get("page")
    page = page if isinstance(page, dict) else {}
    facts = _facts(activity, page)
    link = web_address(page.get("url"))
    here = path_here(link, viewer.host) if link else ""
    relations = relations_of(activity.properties.get(RELATIONSHIPS))
    return Entry(
        activity=activity,
        who=plain(activity.identifier.value),
        title=cut(plain(_title(activity, page)), 2 * BRIEF),
        facts=facts[:FACTS],
        more_facts=max(0, len(facts) - FACTS),
        page=cut(readable(here or page.get("url") or page.get("path") or ""), 2 * BRIEF),
        link=link,
        details=page_of(Activity, activity.pk),
        identifies=identifies and activity.type in IDENTIFYING,
        visitor=page_of(Identifier, activity.identifier_id),
        relations=[_related(one, viewer) for one in relations[:FACTS]],
        more_relations=max(0, len(relations) - FACTS),
    )


def _related(relation: Relation, viewer: Viewer) -> Related:
    return Related(
        name=plain(f"{relation.object.type}: {relation.object.id}"),
        link=page_of(TrackedObject, relation.object.key) if viewer.sees_objects else "",
        present=relation.present,
        attributes=attributes_in_words(relation.attributes),
    )


def _title(activity: Activity, page: dict[str, Json]) -> str:
    """Return what to call an activity beside its type; "" where the type says it all."""
    if activity.type == Type.PAGE:
        return readable(page.get("title") or activity.name or page.get("path") or "")
    return activity.name


def _facts(activity: Activity, page: dict[str, Json]) -> list[tuple[str, str]]:
    """Return the properties in brief, without what the entry says anyway."""
    return [
        (plain(cut(name, FACT)), cut(readable(value, name), FACT))
        for name, value in activity.properties.items()
        if name != RELATIONSHIPS and not (activity.type == Type.PAGE and name in page)
    ]
