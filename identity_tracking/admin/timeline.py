"""Page through a history without ever sorting all of it. Decides nothing about how it looks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.core.paginator import Page
from django.db import connections
from django.db.models import Q
from django.utils.functional import cached_property

from identity_tracking.admin.paging import CEILING, CappedPaginator
from identity_tracking.messages import Type
from identity_tracking.models.activity import NEWEST_FIRST, Activity, ActivityQuerySet

SAMPLE = 200  # activities: whose types are offered
BATCH = 100  # parts of one statement: SQLite joins at most 500


class TimelinePaginator(CappedPaginator):
    """Pages over ``activities`` in ``spans``, as ``models.activity.spans`` gives them.

    ``activities`` may be filtered and annotated; of its order nothing is kept.
    """

    def __init__(self, activities: ActivityQuerySet, per_page: int, *, spans: Sequence[Q]) -> None:
        super().__init__(activities.newest(), per_page)
        self.activities = activities
        self.spans = spans

    @cached_property
    def found(self) -> int:
        return sum(_count(self.activities, batch) for batch in _batches(self.spans))

    def page(self, number: int | str) -> Page[Activity]:
        number = self.validate_number(number)
        start, stop = (number - 1) * self.per_page, min(number * self.per_page, self.count)
        return Page(newest(self.activities, self.spans, start, stop), number, self)


def newest(
    activities: ActivityQuerySet, spans: Sequence[Q], start: int, stop: int
) -> ActivityQuerySet:
    """Return those of ``activities`` in ``spans`` from place ``start`` to ``stop``, newest first.

    Of each part the newest ``stop`` keys are read, which an index gives in order; only these are
    sorted. One condition over all parts makes databases read and sort whole histories.
    """
    if stop <= start:
        return activities.none()
    keys = [key for batch in _batches(spans) for key in _keys(activities, batch, stop)]
    wanted = [key for _, key in sorted(keys, reverse=True)[start:stop]]
    return activities.filter(pk__in=wanted).newest()


def types_within(spans: Sequence[Q]) -> set[str]:
    """Return the types that occur in ``spans``; of a long history all there are.

    Only the newest SAMPLE are read: no index says which types a whole history holds.
    """
    sample = newest(Activity.objects.all(), spans, 0, SAMPLE).order_by()
    types = list(sample.values_list("type", flat=True))
    return set(types) if len(types) < SAMPLE else set(Type.values)


def _batches(spans: Sequence[Q]) -> Iterator[Sequence[Q]]:
    return (spans[start : start + BATCH] for start in range(0, len(spans), BATCH))


def _keys(activities: ActivityQuerySet, spans: Sequence[Q], limit: int) -> list[tuple[Any, UUID]]:
    union, params = _union(activities, spans, limit)
    sql = f"{union} ORDER BY 1 DESC, 2 DESC LIMIT {int(limit)}"
    with connections[activities.db].cursor() as cursor:
        cursor.execute(sql, params)
        return [(row[0], row[1]) for row in cursor.fetchall()]


def _count(activities: ActivityQuerySet, spans: Sequence[Q]) -> int:
    union, params = _union(activities, spans, CEILING + 1)
    sql = f"SELECT COUNT(*) FROM ({union} LIMIT {CEILING + 1}) counted"  # noqa: S608 no value in it
    with connections[activities.db].cursor() as cursor:
        cursor.execute(sql, params)
        count: int = cursor.fetchone()[0]
    return count


def _union(activities: ActivityQuerySet, spans: Sequence[Q], limit: int) -> tuple[str, list[Any]]:
    """Return SQL for the newest ``limit`` times and keys of each span, with its parameters.

    It is written by hand as Django's own union refuses limits within its parts on SQLite.
    """
    parts: list[str] = []
    params: list[Any] = []
    for span in spans:
        rows = activities.filter(span).order_by(*NEWEST_FIRST).values_list("timestamp", "pk")
        sql, values = rows[:limit].query.get_compiler(using=activities.db).as_sql()
        parts.append(f"SELECT * FROM ({sql}) part_{len(parts)}")  # noqa: S608 Django's own SQL
        params += values
    return " UNION ALL ".join(parts), params
