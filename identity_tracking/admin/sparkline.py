"""How active somebody was lately, as a small picture. Reads a bounded part of a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.db.models.functions import TruncHour
from django.utils import timezone

from identity_tracking.admin.paging import CEILING
from identity_tracking.admin.timeline import batches, run, union
from identity_tracking.models import Activity

DAYS = 90  # up to today
HEIGHT = 24  # units of the picture; a day is one wide
BAR = 0.75  # of a day's width


@dataclass(frozen=True, kw_only=True, slots=True)
class Sparkline:
    """The bars of the last DAYS. ``since``: where a busy history is counted from only."""

    path: str
    total: int
    most: int
    busiest: date | None
    since: date | None

    width: int = DAYS
    height: int = HEIGHT


def sparkline(spans: Sequence[Q]) -> Sparkline:
    """Return the activity in ``spans`` by day, in one query.

    The newest CEILING of it, by the index of each part: never all of a long history.
    """
    today = timezone.localdate()
    hours = _hours(spans, timezone.now() - timedelta(days=DAYS))
    days: Counter[date] = Counter()
    for hour, count in hours.items():
        days[timezone.localtime(hour).date()] += count
    counts = [days[today - timedelta(days=ago)] for ago in reversed(range(DAYS))]
    total, busiest = sum(counts), max(days, key=lambda day: (days[day], day), default=None)
    return Sparkline(
        path=_bars(counts),
        total=total,
        most=max(counts),
        busiest=busiest,
        since=min(days) if sum(hours.values()) >= CEILING else None,
    )


def _hours(spans: Sequence[Q], since: datetime) -> Mapping[datetime, int]:
    """Count activities by the hour, as UTC: a database may know no other time zone."""
    recent = Activity.objects.filter(timestamp__gte=since)
    by_hour = recent.annotate(hour=TruncHour("timestamp", tzinfo=UTC))
    found: Counter[datetime] = Counter()
    for batch in batches(spans):
        parts, params = union(by_hour, batch, CEILING, ("hour",))
        newest = f"SELECT * FROM ({parts}) parts ORDER BY 1 DESC LIMIT {CEILING}"  # noqa: S608 no value in it
        sql = f"SELECT hour, COUNT(*) FROM ({newest}) newest GROUP BY hour"  # noqa: S608 nor here
        for hour, count in run(recent, sql, params):
            found[_utc(hour)] += count
    return found


def _utc(hour: Any) -> datetime:
    """Read an hour as the database writes it: SQLite as text."""
    read = datetime.fromisoformat(hour) if isinstance(hour, str) else hour
    return read.replace(tzinfo=UTC)


def _bars(counts: Sequence[int]) -> str:
    """Return the path of one bar a day, each as high as its count beside the highest."""
    most = max(counts)
    heights = [max(1.0, HEIGHT * count / most) if count else 0 for count in counts]
    bars = [
        f"M{day} {HEIGHT}v-{height:.3g}h{BAR}V{HEIGHT}z"
        for day, height in enumerate(heights)
        if height
    ]
    return "".join(bars)
