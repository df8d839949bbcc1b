"""How active somebody was lately, as a small picture. Reads a bounded part of a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from identity_tracking.admin.timeline import batches, run, union
from identity_tracking.models import Activity
from identity_tracking.models.moment import moment_of

DAYS = 90  # up to today
COUNTED = 2_000  # activities
HEIGHT = 24  # units of the picture; a day is one wide
BAR = 0.75  # of a day's width


@dataclass(frozen=True, kw_only=True, slots=True)
class Sparkline:
    """The bars of the last days. ``since``: where a busy history is counted from only."""

    path: str
    total: int
    most: int
    busiest: date | None
    since: date | None
    width: int

    height: int = HEIGHT


def sparkline(spans: Sequence[Q]) -> Sparkline:
    """Return the activity in ``spans`` by day, in one query.

    The newest COUNTED of it, by the index of each part: never all of a long history.
    """
    times = _times(spans, datetime.now(UTC) - timedelta(days=DAYS))
    return drawn(times, days=DAYS, is_partial=len(times) >= COUNTED)


def drawn(times: Sequence[datetime], *, days: int, is_partial: bool) -> Sparkline:
    """Return the picture of what was done at ``times``, as far as it was in the last ``days``."""
    today = timezone.localtime(datetime.now(UTC)).date()
    by_day = Counter(timezone.localtime(time).date() for time in times)
    counts = [by_day[today - timedelta(days=ago)] for ago in reversed(range(days))]
    return Sparkline(
        path=_bars(counts),
        total=sum(counts),
        most=max(counts),
        busiest=max(by_day, key=lambda day: (by_day[day], day), default=None),
        since=min(by_day, default=today) if is_partial else None,
        width=days,
    )


def _times(spans: Sequence[Q], since: datetime) -> list[datetime]:
    """Return when the newest COUNTED activities were, newest first."""
    recent = Activity.objects.filter(timestamp__gte=since)
    found: list[datetime] = []
    for batch in batches(spans):
        parts, params = union(recent, batch, COUNTED, ("timestamp",))
        newest = f"SELECT * FROM ({parts}) parts ORDER BY 1 DESC LIMIT {COUNTED}"  # noqa: S608 no value in it
        found += [moment_of(time, recent.db) for (time,) in run(recent, newest, params)]
    return sorted(found, reverse=True)[:COUNTED]


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
