"""A filter by year, month and day that never reads the table: two look-ups say what there is.

Django's own date_hierarchy asks for every distinct day, which scans.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Self

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.formats import date_format
from django.utils.timezone import get_current_timezone, localtime
from django.utils.translation import gettext_lazy as _

from identity_tracking.models import Activity

PARAMETER = "on"
YEAR, MONTH, ONE_DAY = "%Y", "%Y-%m", "%Y-%m-%d"
DAY = timedelta(days=1)
EARLIEST = date(1900, 1, 1)
MONTHS = 24  # so many are offered at once; a longer time by its years

_WRITTEN = re.compile(r"((?:19|2\d)\d\d)(?:-(\d\d)(?:-(\d\d))?)?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Period:
    """A year, a month or a day: from ``first`` until before ``end``. ``written``: as in 2026-11."""

    written: str
    first: date
    end: date

    @classmethod
    def read(cls, written: str) -> Self | None:
        """Return what ``2026``, ``2026-11`` or ``2026-11-22`` means; None for anything else."""
        parts = _WRITTEN.fullmatch(written)
        numbers = [int(part) for part in parts.groups() if part] if parts else []
        if not numbers:
            return None
        try:
            first = date(*[*numbers, 1, 1][:3])
        except ValueError:
            return None
        return cls(written=written, first=first, end=_after(first, len(numbers)))

    @property
    def since(self) -> datetime:
        return _midnight(self.first)

    @property
    def until(self) -> datetime:
        return _midnight(self.end)

    @property
    def is_year(self) -> bool:
        return len(self.written) == len("2026")

    @property
    def is_day(self) -> bool:
        return len(self.written) == len("2026-11-22")

    def __str__(self) -> str:
        if self.is_year:
            return self.written
        return date_format(self.first, "MONTH_DAY_FORMAT" if self.is_day else "YEAR_MONTH_FORMAT")


class DayFilter(admin.SimpleListFilter):
    title = _("day")
    parameter_name = PARAMETER
    template = "admin/identity_tracking/day_filter.html"

    def lookups(self, request: HttpRequest, model_admin: object) -> Iterable[tuple[str, Any]]:
        """Offer the parts of what is chosen, as far as anything was done then."""
        times = Activity.objects.values_list("timestamp", flat=True)
        earliest = times.order_by("timestamp").first()
        latest = times.order_by("-timestamp").first()
        if earliest is None or latest is None:
            return []
        reach = (localtime(earliest).date(), localtime(latest).date())
        return [(one.written, str(one)) for one in _parts(period_asked(request), *reach)]

    def has_output(self) -> bool:
        """Say yes also where a period holds nothing: a filter without output is not applied."""
        return bool(self.lookup_choices or self.value())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any] | None:
        period = period_asked(request)
        if period is None:
            return None
        return queryset.filter(timestamp__gte=period.since, timestamp__lt=period.until)

    def choices(self, changelist: ChangeList) -> Iterator[dict[str, Any]]:  # type: ignore[override]
        """Give what is around the chosen one, and its parts; of a day, the days beside it."""
        chosen = self.value() or ""
        yield {"label": _("All"), "query": changelist.get_query_string(remove=[PARAMETER])}
        around = [(one.written, str(one)) for one in _around(period_asked(self.request))]
        for written, label in (*around, *self.lookup_choices):
            _year, _month, day = f"{written}--".split("-")[:3]
            yield {
                "label": label,
                "text": day.lstrip("0") or label,
                "query": changelist.get_query_string({PARAMETER: written}),
                "is_chosen": written == chosen,
            }


def period_asked(request: HttpRequest) -> Period | None:
    """Return the period that a request asks for alone, or None."""
    return Period.read(request.GET.get(PARAMETER, ""))


def _around(period: Period | None) -> list[Period]:
    """Return the year and the month that ``period`` is, or lies in."""
    if period is None:
        return []
    around = [_of(period.first, YEAR), _of(period.first, MONTH)]
    return around[:1] if period.is_year else around


def _parts(period: Period | None, earliest: date, latest: date) -> list[Period]:
    """Return what to choose from within ``period``, newest first, and within what there is."""
    if period is None:
        months = _each(MONTH, earliest, latest)
        return months if len(months) <= MONTHS else _each(YEAR, earliest, latest)
    whole = period if period.is_year else _of(period.first, MONTH)
    within = max(whole.first, earliest), min(whole.end - DAY, latest)
    return _each(MONTH if period.is_year else ONE_DAY, *within)


def _each(written: str, earliest: date, latest: date) -> list[Period]:
    found = []
    while max(earliest, EARLIEST) <= latest:
        found.append(_of(latest, written))
        latest = found[-1].first - DAY
    return found


def _of(day: date, written: str) -> Period:
    """Return the year, the month or the day that ``day`` is in."""
    precision = (YEAR, MONTH, ONE_DAY).index(written) + 1
    first = day.replace(**({}, {"day": 1}, {"month": 1, "day": 1})[3 - precision])
    return Period(written=day.strftime(written), first=first, end=_after(first, precision))


def _after(first: date, precision: int) -> date:
    """Return the day after a year (precision 1), a month (2) or a day (3) that begins so."""
    longest = (366, 31, 1)[precision - 1]
    after = first + timedelta(days=longest)
    return after if longest == 1 else after.replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=get_current_timezone())
