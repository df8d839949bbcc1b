"""A history as a page shows it: days of entries, with the moments of identification marked."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import groupby, pairwise
from typing import ClassVar, TypeAlias
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.gaps import Gap, gaps
from identity_tracking.admin.readonly import may_view, page_of
from identity_tracking.admin.sparkline import Sparkline, sparkline
from identity_tracking.admin.timeline import (
    SAMPLE,
    Reading,
    TimelinePage,
    TimelinePaginator,
    oldest_in_reach,
    read,
)
from identity_tracking.admin.values import BRIEF, cut, path_here, plain, readable, web_address
from identity_tracking.admin.wording import attributes_in_words, relations_of
from identity_tracking.messages import RELATIONSHIPS, Relation, Type
from identity_tracking.models import Activity, Identifier, TrackedObject
from identity_tracking.models.activity import ActivityQuerySet
from identity_tracking.models.identifier import BEGINNING, END
from identity_tracking.payloads import Json

PER_PAGE = 50
FACTS = 4  # properties of an entry that are shown
FACT = 60  # characters of a property that are shown

IDENTIFYING = {Type.IDENTIFY, Type.FORM, Type.LINK}


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One activity of a timeline. ``identifies``: here an anonymous visitor said who they are."""

    is_gap: ClassVar[bool] = False

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

    @property
    def at(self) -> datetime:
        return self.activity.timestamp


Line: TypeAlias = Entry | Gap


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
    entries: Sequence[Line]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a timeline is asked to show alone: one type, one name, or both."""

    type: str = ""
    name: str = ""

    @classmethod
    def of(cls, asked: QueryDict) -> Wanted:
        type_, name = asked.get("type", ""), asked.get("name", "").strip()
        return cls(type=type_ if type_ in Type.values else "", name=name.replace("\0", ""))

    @property
    def query(self) -> str:
        """The part after the "?" of an address that asks for this."""
        query = QueryDict(mutable=True)
        query.update({key: value for key, value in self.fields.items() if value})
        return query.urlencode()

    @property
    def fields(self) -> dict[str, str]:
        return {"type": self.type, "name": self.name}

    def of_all(self, activities: ActivityQuerySet) -> ActivityQuerySet:
        return activities.filter(**{key: value for key, value in self.fields.items() if value})


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A type to show alone. ``query`` is the address's part after the "?"."""

    label: str | Promise
    query: str
    is_chosen: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class History:
    """One page of a timeline. ``reach``: since when a filter looked, if not ever since."""

    days: Sequence[Day]
    page: TimelinePage
    sparkline: Sparkline
    wanted: Wanted
    choices: Sequence[Choice] = field(default=())
    names: Sequence[str] = field(default=())
    reach: datetime | None = None

    @property
    def numbers(self) -> Iterator[int | str]:
        return self.page.paginator.get_elided_page_range(
            self.page.number, on_each_side=2, on_ends=1
        )

    @property
    def query(self) -> str:
        """What the addresses of other pages have in common."""
        return f"{self.wanted.query}&" if self.wanted.query else ""


def history(
    request: HttpRequest,
    spans: Sequence[Q],
    *,
    identified_by: Collection[UUID] = (),
    people: Collection[UUID] = (),
) -> History | None:
    """Return the page of a history that ``request`` asks for; None if it may not see any.

    ``identified_by`` are the keys of activities known to have identified a visitor; ``people``
    the rows of the person, where it is one's.
    """
    if not may_view(request, Activity):
        return None
    wanted, activities = Wanted.of(request.GET), Activity.objects.select_related("identifier")
    every = read(activities, spans, SAMPLE) if wanted.query else None
    reach = oldest_in_reach(spans) if every and every.is_capped else None
    if reach:
        activities = activities.filter(timestamp__gte=reach)
    paginator = TimelinePaginator(wanted.of_all(activities), PER_PAGE, spans=spans)
    page = paginator.get_page(request.GET.get("page"))
    around = _gaps(page, people) if people and not wanted.query else []
    offered = every or paginator.reading
    return History(
        days=_days([*_entries(request, page, identified_by), *around]),
        page=page,
        sparkline=sparkline(spans),
        wanted=wanted,
        choices=_choices(wanted, offered),
        names=offered.names,
        reach=reach,
    )


def _gaps(page: TimelinePage, people: Collection[UUID]) -> list[Gap]:
    """Return the gaps that lie on a page: up to the one before, down to the next."""
    rows = page.object_list
    until = rows[0].timestamp if rows and page.has_previous() else END
    after = page.following.timestamp if page.following else BEGINNING
    return gaps(people, after, until)


def _entries(
    request: HttpRequest, page: TimelinePage, identified_by: Collection[UUID]
) -> list[Entry]:
    rows = page.object_list
    marked = {*identified_by, *_turning_points(rows)}
    viewer = Viewer(host=request.get_host(), sees_objects=may_view(request, TrackedObject))
    return [_entry(row, viewer, identifies=row.pk in marked) for row in rows]


def _turning_points(rows: Sequence[Activity]) -> Iterator[UUID]:
    """Give the activities that say who somebody is, right after anonymous ones."""
    for newer, older in pairwise(rows):
        if newer.type in IDENTIFYING and older.is_anonymous and not newer.is_anonymous:
            yield newer.pk


def _days(lines: Sequence[Line]) -> list[Day]:
    """Group by day, newest first; a gap stands below what was done at its instant."""
    ordered = sorted(lines, key=lambda line: line.at, reverse=True)
    days = groupby(ordered, key=lambda line: timezone.localtime(line.at).date())
    return [Day(date=day, entries=list(of_day)) for day, of_day in days]


def _choices(wanted: Wanted, offered: Reading) -> list[Choice]:
    every = Choice(label=_("all"), query=replace(wanted, type="").query, is_chosen=not wanted.type)
    types = [
        Choice(
            label=type_.label,
            query=replace(wanted, type=type_.value).query,
            is_chosen=type_ == wanted.type,
        )
        for type_ in Type
        if type_ in offered.types or type_ == wanted.type
    ]
    return [every, *types]


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
