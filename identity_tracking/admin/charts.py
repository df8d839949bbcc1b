"""Bars by day and by name, as the server draws them: to scale, with labels, and told as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.functional import Promise

HEIGHT = 100  # units of a chart; a day is STEP wide
STEP = 10
BAR = 7


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Counts by day. ``shade``: 1 stands behind 2."""

    label: str | Promise
    shade: int
    counts: Sequence[int]
    path: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """Series over the same days, on one scale up to ``top``."""

    name: str
    title: str | Promise
    days: Sequence[date]
    series: Sequence[Series]
    top: int
    width: int
    ceiling: int | None = None
    height: int = HEIGHT

    @property
    def half(self) -> int:
        return self.top // 2

    @property
    def most(self) -> int:
        return max(max(one.counts) for one in self.series)

    @property
    def marked(self) -> Sequence[date]:
        """The days that are written below."""
        return (self.days[0], self.days[len(self.days) // 2], self.days[-1])

    @property
    def rows(self) -> Sequence[tuple[date, Sequence[int]]]:
        """The counts of each day, newest first: the same as a table."""
        by_day = zip(*(one.counts for one in self.series), strict=True)
        return list(zip(self.days, by_day, strict=True))[::-1]

    @property
    def is_cut(self) -> bool:
        """Whether more than the ceiling came on some day."""
        return self.ceiling is not None and self.most >= self.ceiling


@dataclass(frozen=True, kw_only=True, slots=True)
class Ranked:
    """A name with its count; ``share`` of the highest, in hundredths."""

    name: str
    count: int
    share: int


def chart(
    name: str,
    title: str | Promise,
    days: Sequence[date],
    counted: Sequence[tuple[str | Promise, Sequence[int]]],
    *,
    ceiling: int | None = None,
) -> Chart:
    """Return a chart of labelled counts, the later ones before the earlier."""
    top = scale(max(max(counts) for _label, counts in counted))
    first_shade = 3 - len(counted)
    return Chart(
        name=name,
        title=title,
        days=days,
        series=[
            Series(label=label, shade=shade, counts=counts, path=_bars(counts, top))
            for shade, (label, counts) in enumerate(counted, first_shade)
        ],
        top=top,
        width=STEP * len(days),
        ceiling=ceiling,
    )


def ranked(counted: Sequence[tuple[str, int]]) -> list[Ranked]:
    most = max((count for _name, count in counted), default=1)
    return [
        Ranked(name=name, count=count, share=max(1, round(100 * count / most)))
        for name, count in counted
    ]


def scale(most: int) -> int:
    """Return the round and even number that is next above ``most``, or ``most`` itself."""
    step: int = 10 ** (len(str(most)) - 1)
    return max(2, next(top * step for top in (1, 2, 4, 6, 8, 10) if top * step >= most))


def _bars(counts: Sequence[int], top: int) -> str:
    heights = [max(1.0, HEIGHT * count / top) if count else 0 for count in counts]
    return "".join(
        f"M{STEP * day} {HEIGHT}v-{height:.4g}h{BAR}V{HEIGHT}z"
        for day, height in enumerate(heights)
        if height
    )
