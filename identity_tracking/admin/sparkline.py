"""How active somebody was lately, as a small picture. Reads a bounded part of a history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from identity_tracking.admin.timeline import BATCH, batches, run, union
from identity_tracking.models import Activity
from identity_tracking.models.activity import ActivityQuerySet
from identity_tracking.models.moment import moment_of

DAYS = 90  # up to today
COUNTED = 2_000  # activities
SHARE = 4  # what part of that is read of one of many identifiers, at least
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
    times, is_partial = _times(spans, datetime.now(UTC) - timedelta(days=DAYS))
    return drawn(times, days=DAYS, is_partial=is_partial)


def drawn(times: Sequence[datetime], *, days: int, is_partial: bool) -> Sparkline:
    """Return the picture of what was done at ``times``, as far as it was in the last ``days``."""
    zone = timezone.get_current_timezone()
    by_day = Counter(time.astimezone(zone).date() for time in times)
    return pictured(by_day, days=days, is_partial=is_partial)


def pictured(by_day: Mapping[date, int], *, days: int, is_partial: bool = False) -> Sparkline:
    """Return the picture of how much was done on each of the last ``days``."""
    today = timezone.localdate(timezone=timezone.get_current_timezone(), value=datetime.now(UTC))
    counts = [by_day.get(today - timedelta(days=ago), 0) for ago in reversed(range(days))]
    return Sparkline(
        path=_bars(counts),
        total=sum(counts),
        most=max(counts),
        busiest=max(by_day, key=lambda day: (by_day[day], day), default=None),
        since=min(by_day, default=today) if is_partial else None,
        width=days,
    )


def _times(spans: Sequence[Q], since: datetime) -> tuple[list[datetime], bool]:
    """Return when the newest COUNTED activities were, and whether there may be more.

    Of one of many parts fewer are read; where it has more, all count from there on only.
    """
    recent = Activity.objects.filter(timestamp__gte=since)
    each = max(COUNTED // max(len(spans), 1), COUNTED // SHARE)
    newest = sorted(_newest(recent, spans, each), reverse=True)[:COUNTED]
    read = Counter(part for _, part in newest)
    ends = {part: time for time, part in newest if read[part] >= each}  # the oldest of each
    floor = max(ends.values(), default=None)
    times = [moment_of(time, recent.db) for time, _ in newest if floor is None or time >= floor]
    return times, bool(ends) or len(newest) >= COUNTED


def _newest(recent: ActivityQuerySet, spans: Sequence[Q], each: int) -> Iterator[tuple[Any, int]]:
    """Give when the newest COUNTED of each batch were, at most ``each`` of a part, and of which."""
    for number, batch in enumerate(batches(spans)):
        parts: list[str] = []
        params: list[Any] = []
        for part, span in enumerate(batch, number * BATCH):
            sql, values = union(recent, [span], each, ("timestamp",))
            parts.append(f"SELECT own.*, {part} FROM ({sql}) own")  # noqa: S608 no value in it
            params += values
        every = " UNION ALL ".join(parts)
        newest = f"SELECT * FROM ({every}) parts ORDER BY 1 DESC LIMIT {COUNTED}"  # noqa: S608 nor here
        yield from run(recent, newest, params)


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
