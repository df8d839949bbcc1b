"""How active each person of a list was lately: a picture a row, in four queries for all of them.

Bounded for everybody: of one person the newest COUNTED activities of PARTS identifiers are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

from django.db.models import Q

from identity_tracking.admin.sparkline import Sparkline, drawn
from identity_tracking.admin.timeline import joined, run, union
from identity_tracking.models import Activity, Ownership, Person
from identity_tracking.models.moment import moment_of

DAYS = 30  # up to today
COUNTED = 200  # activities of one person
PARTS = 6  # stretches of one person's identifiers
FOLDED = 50  # rows that folded into any of the people

Spans: TypeAlias = Mapping[UUID, Sequence[Q]]


def glances(people: Sequence[UUID]) -> dict[UUID, Sparkline]:
    """Return the last DAYS of each of ``people``, the keys of rows that did not fold.

    ``since`` is set where not all of somebody was counted.
    """
    roots, is_whole = _rows(people)
    spans, cut = _spans(roots)
    times = _times(spans, datetime.now(UTC) - timedelta(days=DAYS))
    return {
        person: drawn(
            times[person],
            days=DAYS,
            is_partial=not is_whole or person in cut or len(times[person]) >= COUNTED,
        )
        for person in people
    }


def _rows(people: Sequence[UUID]) -> tuple[dict[UUID, UUID], bool]:
    """Return for each row that is one of ``people`` whose it is, and whether these are all."""
    folded = Person.objects.filter(root__in=people).order_by().values_list("pk", "root_id")
    found: list[Any] = list(folded[: FOLDED + 1])
    return {person: person for person in people} | dict(found[:FOLDED]), len(found) <= FOLDED


def _spans(roots: Mapping[UUID, UUID]) -> tuple[Spans, set[UUID]]:
    """Return at most PARTS conditions for each person, and who has more."""
    spans: dict[UUID, list[Q]] = defaultdict(list)
    for row in _stretches(roots):
        person = roots[row.person_id]
        if row.after_id is None or roots.get(row.after_id) == person:
            spans[person].append(_span(row))
    cut = {person for person, parts in spans.items() if len(parts) > PARTS}
    return {person: parts[:PARTS] for person, parts in spans.items()}, cut


def _stretches(rows: Collection[UUID]) -> list[Ownership]:
    """Return some stretches of each of the ``rows`` of people: any, as no index orders them."""
    stretches = Ownership.objects.order_by().values_list("pk")
    sql, params = joined([stretches.filter(person=row)[: PARTS + 1] for row in rows])
    keys = [key for (key,) in run(stretches, sql, params)] if rows else []
    return list(Ownership.objects.filter(pk__in=keys))


def _times(spans: Spans, since: datetime) -> Mapping[UUID, list[datetime]]:
    """Return when the newest COUNTED activities of each person were."""
    recent = Activity.objects.filter(timestamp__gte=since)
    times: dict[UUID, list[datetime]] = defaultdict(list)
    parts: list[str] = []
    params: list[Any] = []
    people = list(spans)
    for number, person in enumerate(people):
        sql, values = union(recent, spans[person], COUNTED, ("timestamp",))
        newest = f"SELECT * FROM ({sql}) parts ORDER BY 1 DESC LIMIT {COUNTED}"  # noqa: S608 no value in it
        parts.append(f"SELECT {number}, own.* FROM ({newest}) own")  # noqa: S608 nor here
        params += values
    rows = run(recent, " UNION ALL ".join(parts), params) if parts else []
    for number, time in rows:
        times[people[number]].append(moment_of(time, recent.db))
    return times


def _span(row: Ownership) -> Q:
    if row.is_whole:
        return Q(identifier=row.identifier_id)
    return Q(identifier=row.identifier_id, timestamp__gte=row.since, timestamp__lt=row.until)
