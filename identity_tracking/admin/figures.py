"""What a site's last 30 days come to, in numbers: read from a bounded part of what there is.

Who was active is counted in the newest WINDOW activities; who was new, by an index, to a ceiling
a day. Holds no personal data but the paths of pages and the names of events.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models.fields.json import KeyTextTransform, KeyTransform
from django.utils.timezone import get_current_timezone, localtime

from identity_tracking.admin.timeline import run
from identity_tracking.identifiers import Kind
from identity_tracking.messages import Type
from identity_tracking.models import Activity, Identifier, Ownership, Person

DAYS = 30  # up to today
WINDOW = 50_000  # activities
VISITORS = 10_000  # identifiers: where these are more, the window ends
AT_ONCE = 5_000  # keys of a statement: of more, databases rather read a whole table
NEW = 5_000  # visitors, and people, of a day that are counted
TOP = 10  # pages, and events
NULL = "null"  # what SQLite makes a text of


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Counts by day, oldest first, and in all. ``since``: where the window began after the days.

    ``visitors`` are people and browsers that are nobody's; ``identified`` are the people of them.
    """

    at: datetime
    days: Sequence[date]
    since: datetime | None
    activities: int
    visitors: int
    identified: int
    visitors_by_day: Sequence[int]
    identified_by_day: Sequence[int]
    new_visitors_by_day: Sequence[int]
    new_people_by_day: Sequence[int]
    pages: Sequence[tuple[str, int]]
    events: Sequence[tuple[str, int]]


class Seen(NamedTuple):
    """What is read of an activity."""

    time: datetime
    identifier: UUID
    type: str
    name: str
    path: str | None


class Stretch(NamedTuple):
    """What is read of an ownership."""

    since: datetime
    until: datetime
    person_id: UUID
    after_id: UUID | None


def figures() -> Figures:
    """Return the figures of the last DAYS."""
    now = localtime(datetime.now(UTC))
    today = now.date()
    days = [today - timedelta(days=ago) for ago in reversed(range(DAYS))]
    activities, is_whole = _newest(_midnight(days[0]))
    who = _who(activities)
    by_day: dict[date, set[tuple[bool, UUID]]] = defaultdict(set)
    for one, visitor in zip(activities, who, strict=True):
        by_day[localtime(one.time).date()].add(visitor)
    new_visitors, new_people = (_new(kind, days) for kind in (Kind.ANONYMOUS_ID, Kind.ID))
    return Figures(
        at=now,
        days=days,
        since=None if is_whole or not activities else activities[-1].time,
        activities=len(activities),
        visitors=len(set(who)),
        identified=_people(who),
        visitors_by_day=[len(by_day[day]) for day in days],
        identified_by_day=[_people(by_day[day]) for day in days],
        new_visitors_by_day=new_visitors,
        new_people_by_day=new_people,
        pages=_top(one.path for one in activities if one.type == Type.PAGE and one.path != NULL),
        events=_top(one.name for one in activities if one.type == Type.TRACK),
    )


def _newest(since: datetime) -> tuple[list[Seen], bool]:
    """Return the newest activities since then, newest first, and whether these are all."""
    path = KeyTextTransform("path", KeyTransform("page", "context"))
    rows = Activity.objects.filter(timestamp__gte=since).order_by("-timestamp")
    columns = ("timestamp", "identifier_id", "type", "name", "path")
    found = [Seen(*row) for row in rows.annotate(path=path).values_list(*columns)[: WINDOW + 1]]
    kept = list(_until_many(found[:WINDOW]))
    return kept, len(kept) == len(found)


def _until_many(activities: Iterable[Seen]) -> Iterator[Seen]:
    """Give activities until one more visitor would be too many."""
    known: set[UUID] = set()
    for one in activities:
        known.add(one.identifier)
        if len(known) > VISITORS:
            return
        yield one


def _who(activities: Sequence[Seen]) -> list[tuple[bool, UUID]]:
    """Return for each activity whether a person did it, and the key of the person or visitor."""
    stretches: dict[UUID, list[Stretch]] = defaultdict(list)
    for keys in _batches({one.identifier for one in activities}):
        rows = Ownership.objects.filter(identifier__in=keys)
        for identifier, *stretch in rows.values_list("identifier_id", *Stretch._fields):
            stretches[identifier].append(Stretch(*stretch))
    roots = _roots({row.person_id for rows in stretches.values() for row in rows})
    return [_owner(one, stretches.get(one.identifier, ()), roots) for one in activities]


def _roots(people: set[UUID]) -> dict[UUID, UUID]:
    """Return into whom those of ``people`` folded who did."""
    roots: dict[UUID, Any] = {}
    for keys in _batches(people):
        folded = Person.objects.filter(pk__in=keys).exclude(root=None)
        roots |= dict(folded.values_list("pk", "root_id"))
    return roots


def _owner(
    one: Seen, stretches: Iterable[Stretch], roots: Mapping[UUID, UUID]
) -> tuple[bool, UUID]:
    for row in stretches:
        if row.since <= one.time < row.until:
            sides = {roots.get(key, key) for key in (row.person_id, row.after_id) if key}
            if len(sides) == 1:
                return True, sides.pop()
    return False, one.identifier


def _people(who: Iterable[tuple[bool, UUID]]) -> int:
    return len({key for is_person, key in who if is_person})


def _new(kind: Kind, days: Sequence[date]) -> list[int]:
    """Return how many identifiers came on each day, counted to NEW: a range of an index each."""
    new = Identifier.objects.filter(kind=kind).order_by().values_list("pk")
    parts: list[str] = []
    params: list[Any] = []
    for number, day in enumerate(days):
        until = _midnight(day + timedelta(days=1))
        of_day = new.filter(created_at__gte=_midnight(day), created_at__lt=until)[:NEW]
        sql, values = of_day.query.get_compiler(using=new.db).as_sql()
        parts.append(f"SELECT {number}, COUNT(*) FROM ({sql}) day_{number}")  # noqa: S608 Django's own SQL
        params += values
    counts = dict(run(new, " UNION ALL ".join(parts), params))
    return [counts[number] for number in range(len(days))]


def _top(names: Iterable[str | None]) -> list[tuple[str, int]]:
    return Counter(name for name in names if name).most_common(TOP)


def _batches(keys: Iterable[UUID]) -> Iterator[list[UUID]]:
    left = iter(keys)
    while batch := list(islice(left, AT_ONCE)):
        yield batch


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=get_current_timezone())
