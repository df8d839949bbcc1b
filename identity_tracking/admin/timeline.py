"""Page through a history without ever sorting all of it. Decides nothing about how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias
from uuid import UUID

from django.core.paginator import Page
from django.db import connections
from django.db.models import Q, QuerySet
from django.utils.functional import cached_property

from identity_tracking.admin.paging import CEILING, CappedPaginator
from identity_tracking.messages import Type
from identity_tracking.models.activity import NEWEST_FIRST, Activity, ActivityQuerySet

if TYPE_CHECKING:
    StockPage: TypeAlias = Page[Activity]
else:
    StockPage = Page

SAMPLE = 200  # activities: whose types and names are offered
BATCH = 100  # parts of one statement: SQLite joins at most 500
NEWEST = ("timestamp", "pk")
COLUMNS = (*NEWEST, "type", "name")


class Line(NamedTuple):
    """What is read of an activity to find its place. ``time`` is as the database writes it."""

    time: Any
    key: UUID
    type: str
    name: str


class Reading(NamedTuple):
    """The newest lines of a history, and how many there are: at most one above the ceiling."""

    total: int
    lines: Sequence[Line]

    @property
    def is_capped(self) -> bool:
        return self.total > CEILING

    @property
    def types(self) -> set[str]:
        """The types that occur; of a long history all there are, as no index says which."""
        return set(Type.values) if self.total >= SAMPLE else {line.type for line in self.lines}

    @property
    def names(self) -> list[str]:
        """The names that occur among the newest, in their order."""
        return sorted({line.name for line in self.lines[:SAMPLE] if line.name}, key=str.casefold)


class TimelinePage(StockPage):
    """A page; ``following`` is the activity that the next one begins with."""

    object_list: list[Activity]
    following: Activity | None = None


class TimelinePaginator(CappedPaginator):
    """Pages over ``activities`` in ``spans``, as ``models.activity.spans`` gives them.

    ``activities`` may be filtered and annotated; of its order nothing is kept. Any page takes two
    queries.
    """

    def __init__(self, activities: ActivityQuerySet, per_page: int, *, spans: Sequence[Q]) -> None:
        super().__init__(activities.newest(), per_page)
        self.activities = activities
        self.spans = spans
        self.depth = SAMPLE

    @cached_property
    def reading(self) -> Reading:
        return read(self.activities, self.spans, self.depth)

    @cached_property
    def found(self) -> int:
        return self.reading.total

    def get_page(self, number: Any) -> TimelinePage:
        self.depth = max(SAMPLE, self._end(number) + 1)
        page: TimelinePage = super().get_page(number)  # type: ignore[assignment]
        return page

    def page(self, number: int | str) -> TimelinePage:
        number = self.validate_number(number)
        start, stop = (number - 1) * self.per_page, min(number * self.per_page, self.count)
        lines = self.reading.lines
        if stop >= self.depth:
            lines = read(self.activities, self.spans, stop + 1).lines
        wanted = [line.key for line in lines[start : stop + 1]]
        rows = list(self.activities.filter(pk__in=wanted).newest()) if wanted else []
        page = TimelinePage(rows[: stop - start], number, self)
        page.following = next(iter(rows[stop - start :]), None)
        return page

    def _end(self, number: Any) -> int:
        """Return the place where the page asked for ends, before it is known to exist."""
        try:
            return min(max(1, int(number)) * self.per_page, CEILING)
        except (TypeError, ValueError):
            return self.per_page


def newest(activities: ActivityQuerySet, spans: Sequence[Q], limit: int) -> ActivityQuerySet:
    """Return the newest ``limit`` of ``activities`` in ``spans``.

    Of each part the newest keys are read, which an index gives in order; only these are
    sorted. One condition over all parts makes databases read and sort whole histories.
    """
    keys = [key for batch in batches(spans) for key in _keys(activities, batch, limit)]
    wanted = [key for _, key in sorted(keys, reverse=True)[:limit]]
    return activities.filter(pk__in=wanted).newest()


def read(activities: ActivityQuerySet, spans: Sequence[Q], limit: int) -> Reading:
    """Return the newest ``limit`` of ``activities`` in ``spans``, and how many there are."""
    readings = [_read(activities, batch, limit) for batch in batches(spans)]
    lines = [line for reading in readings for line in reading.lines]
    return Reading(
        total=min(sum(reading.total for reading in readings), CEILING + 1),
        lines=sorted(lines, key=lambda line: line[:2], reverse=True)[:limit],
    )


def oldest_in_reach(spans: Sequence[Q]) -> datetime | None:
    """Return the time of the activity at the ceiling; None where a history is shorter.

    From there on a filter reads at most CEILING activities of each batch.
    """
    activities = Activity.objects.all()
    found = [key for batch in batches(spans) for key in _at_ceiling(activities, batch)]
    times = Activity.objects.filter(pk__in=found).values_list("timestamp", flat=True)
    return max(times, default=None) if found else None


def batches(spans: Sequence[Q]) -> Iterator[Sequence[Q]]:
    return (spans[start : start + BATCH] for start in range(0, len(spans), BATCH))


def _read(activities: ActivityQuerySet, spans: Sequence[Q], limit: int) -> Reading:
    counted, params = union(activities, spans, CEILING + 1, NEWEST)
    lines, more = union(activities, spans, limit, COLUMNS)
    total = f"SELECT COUNT(*) FROM ({counted} LIMIT {CEILING + 1}) counted"  # noqa: S608 no value in it
    newest_first = f"{lines} ORDER BY 1 DESC, 2 DESC LIMIT {int(limit)}"
    sql = f"SELECT found.*, ({total}) FROM ({newest_first}) found ORDER BY 1 DESC, 2 DESC"  # noqa: S608 nor here
    rows = run(activities, sql, [*params, *more])
    return Reading(total=rows[0][-1] if rows else 0, lines=[Line(*row[:-1]) for row in rows])


def _keys(activities: ActivityQuerySet, spans: Sequence[Q], limit: int) -> list[tuple[Any, UUID]]:
    sql, params = union(activities, spans, limit, NEWEST)
    ordered = f"{sql} ORDER BY 1 DESC, 2 DESC LIMIT {int(limit)}"
    return [(row[0], row[1]) for row in run(activities, ordered, params)]


def _at_ceiling(activities: ActivityQuerySet, spans: Sequence[Q]) -> list[UUID]:
    sql, params = union(activities, spans, CEILING, NEWEST)
    ordered = f"{sql} ORDER BY 1 DESC, 2 DESC LIMIT 1 OFFSET {CEILING - 1}"
    return [row[1] for row in run(activities, ordered, params)]


def run(asked: QuerySet[Any], sql: str, params: Sequence[Any]) -> list[Any]:
    """Return the rows of ``sql``, from the database that ``asked`` is about."""
    with connections[asked.db].cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[Any] = cursor.fetchall()
        return rows


def union(
    activities: ActivityQuerySet, spans: Sequence[Q], limit: int, columns: Sequence[str]
) -> tuple[str, list[Any]]:
    """Return SQL for ``columns`` of the newest ``limit`` of each span, with its parameters."""
    return joined(
        [
            activities.filter(span).order_by(*NEWEST_FIRST).values_list(*columns)[:limit]
            for span in spans
        ]
    )


def joined(queries: Sequence[QuerySet[Any, Any]]) -> tuple[str, list[Any]]:
    """Return SQL for all rows of ``queries``, each of which may have a limit, and its parameters.

    It is written by hand as Django's own union refuses limits within its parts on SQLite.
    """
    parts: list[str] = []
    params: list[Any] = []
    for rows in queries:
        sql, values = rows.query.get_compiler(using=rows.db).as_sql()
        parts.append(f"SELECT * FROM ({sql}) part_{len(parts)}")  # noqa: S608 Django's own SQL
        params += values
    return " UNION ALL ".join(parts), params
