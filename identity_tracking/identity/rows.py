"""The rows that messages need: identifiers, people, their ownership, and objects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from django.db import OperationalError, connections
from django.db.models import FilteredRelation, Q
from django.db.models.sql import Query
from django.utils import timezone

from identity_tracking.conf import conf
from identity_tracking.identifiers import Kind, Ref
from identity_tracking.messages import Message, ObjectRef
from identity_tracking.models import Identifier, Ownership, Person, TrackedObject
from identity_tracking.models.identifier import BEGINNING, END
from identity_tracking.models.person import new_person

KEY = Identifier._meta.pk
TIME = Ownership._meta.get_field("since")


class Vanished(OperationalError):
    """Somebody was deleted while this transaction was under way: it is to be run again."""


class Found(NamedTuple):
    """An identifier as it was found: whose it is for a while, and when that person was seen."""

    identifier: UUID
    created_at: datetime
    since: datetime | None
    until: datetime | None
    after: UUID | None
    person: UUID | None
    first_seen: datetime | None
    last_seen: datetime | None


def ensure(messages: Sequence[Message], using: str) -> list[Found]:
    """Make the identifiers, people and objects that ``messages`` mention; locks nothing.

    Returns what was there before, for ``sightings``. Safe to repeat. It reads first and inserts
    only what is missing, for on MariaDB an ignored insert locks the row it ran into.
    """
    ensure_objects(_objects(messages), using)
    mentioned = _mentioned(messages)
    found = _find(mentioned, using)
    known = {row.identifier for row in found}
    missing = sorted((ref for ref in mentioned if ref.key not in known), key=lambda ref: ref.key)
    if missing:
        _insert(missing, mentioned, using)
    return found


def ensure_objects(mentioned: Mapping[ObjectRef, datetime], using: str) -> None:
    """Make the objects that are ``mentioned``, each seen first at that time; locks nothing."""
    if not mentioned:
        return
    objects = TrackedObject.objects.using(using)
    keys = {ref.key for ref in mentioned}
    known = set(objects.filter(pk__in=keys).values_list("pk", flat=True))
    objects.bulk_create(
        [
            TrackedObject(pk=ref.key, object_type=ref.type, object_id=ref.id, created_at=at)
            for ref, at in sorted(mentioned.items(), key=lambda item: item[0].key)
            if ref.key not in known
        ],
        ignore_conflicts=True,
    )


def find(messages: Sequence[Message], using: str) -> list[Found]:
    """Return the identifiers that ``messages`` mention as they are by now; locks nothing."""
    return _find(_mentioned(messages), using)


def sightings(messages: Iterable[Message], found: Iterable[Found]) -> dict[UUID, list[datetime]]:
    """Return whose first and last seen is due to move, and when: rarely, see LAST_SEEN_EVERY."""
    times: dict[UUID, list[datetime]] = defaultdict(list)
    for message in messages:
        times[message.head.key].append(message.timestamp)
    due: dict[UUID, list[datetime]] = defaultdict(list)
    for row in found:
        if row.person:
            due[row.person] += [time for time in times[row.identifier] if _is_due(row, time)]
    return {person: seen for person, seen in due.items() if seen}


def late_among(messages: Iterable[Message], using: str) -> list[Message]:
    """Return the messages that are further back than ``last_seen`` is coarse.

    Whose history changes while a message is being stored, and misses it, has a first or last seen
    that is wrong by as much as the message is old. So the identifiers and people of these are to
    be locked. SQLite has one writer at a time anyway.
    """
    if connections[using].vendor == "sqlite":
        return []
    before = timezone.now() - timedelta(seconds=conf.LAST_SEEN_EVERY)
    return [message for message in messages if message.timestamp < before]


def date_back(messages: Sequence[Message], found: Iterable[Found], using: str) -> None:
    """Keep of visitors that a message is older than what they were first seen by.

    Locks their rows in key order, if they are not locked yet.
    """
    oldest = min(message.timestamp for message in messages)
    known = {row.identifier: row.created_at for row in found if row.created_at > oldest}
    if not known:  # as nearly always
        return
    older = {
        ref.key: min(times)
        for ref, times in _mentioned(messages).items()
        if ref.kind is Kind.ANONYMOUS_ID and min(times) < known.get(ref.key, BEGINNING)
    }
    for key, time in sorted(older.items()):
        visitor = Identifier.objects.using(using).filter(pk=key, created_at__gt=time)
        visitor.update(created_at=time)


def touch(seen: Mapping[UUID, Iterable[datetime]], using: str) -> None:
    """Keep when people were seen. Locks their rows in key order, if they are not locked yet."""
    for person in sorted(seen):
        Person.objects.using(using).touch(person, seen[person])


def _is_due(row: Found, time: datetime) -> bool:
    if not (row.since and row.until and row.first_seen and row.last_seen) or row.after:
        return False
    coarse = timedelta(seconds=conf.LAST_SEEN_EVERY)
    seen = row.first_seen <= time <= row.last_seen + coarse
    return row.since <= time < row.until and not seen


def _mentioned(messages: Iterable[Message]) -> dict[Ref, list[datetime]]:
    mentioned: dict[Ref, list[datetime]] = defaultdict(list)
    for message in messages:
        for ref in message.refs:
            mentioned[ref].append(message.timestamp)
    return mentioned


def _find(mentioned: Mapping[Ref, Sequence[datetime]], using: str) -> list[Found]:
    """Return the identifiers that are there, with whose they are around the times mentioned."""
    if not mentioned:
        return []
    sql, query, columns = _look_up(len(mentioned), using)
    compiler = query.get_compiler(using=using)
    connection = compiler.connection
    times = [time for several in mentioned.values() for time in several]
    with connection.cursor() as cursor:
        cursor.execute(
            sql,
            [
                *(TIME.get_db_prep_value(time, connection) for time in (max(times), min(times))),
                *(KEY.get_db_prep_value(ref.key, connection) for ref in mentioned),
            ],
        )
        rows = cursor.fetchall()
    read = compiler.apply_converters(rows, compiler.get_converters(columns))
    return [Found(*row[:5], *(row[8:] if row[8] else row[5:8])) for row in read]


@lru_cache(maxsize=32)
def _look_up(number: int, using: str) -> tuple[str, Query, Sequence[Any]]:
    """Return the SQL that finds ``number`` identifiers, its query, and its columns.

    Every message asks it; Django takes several times longer to write it than a database to
    answer it. Its parameters: the last time, the first time, and the keys.
    """
    stretch = Q(ownership__since__lte=BEGINNING, ownership__until__gt=BEGINNING)
    person, root = "stretch__person", "stretch__person__root"
    rows = (
        Identifier.objects.using(using)
        .annotate(stretch=FilteredRelation("ownership", condition=stretch))
        .filter(pk__in=[UUID(int=key) for key in range(number)])
        .values_list(
            "pk",
            "created_at",
            "stretch__since",
            "stretch__until",
            "stretch__after",
            person,
            f"{person}__first_seen",
            f"{person}__last_seen",
            root,
            f"{root}__first_seen",
            f"{root}__last_seen",
        )
    )
    compiler = rows.query.get_compiler(using=using)
    sql, _ = compiler.as_sql()
    return sql, rows.query, [column for column, *_ in compiler.select]


def _insert(refs: Sequence[Ref], seen: Mapping[Ref, Sequence[datetime]], using: str) -> None:
    Identifier.objects.using(using).bulk_create(
        [
            Identifier(pk=ref.key, kind=ref.kind, value=ref.value, created_at=min(seen[ref]))
            for ref in refs
        ],
        ignore_conflicts=True,
    )
    people = [
        new_person(ref, min(seen[ref]), max(seen[ref]))
        for ref in refs
        if ref.kind is not Kind.ANONYMOUS_ID
    ]
    if not people:
        return
    Person.objects.using(using).bulk_create(people, ignore_conflicts=True)
    Ownership.objects.using(using).bulk_create(
        [
            Ownership(identifier_id=person.pk, since=BEGINNING, until=END, person_id=person.pk)
            for person in people
        ],
        ignore_conflicts=True,
    )


def _objects(messages: Iterable[Message]) -> dict[ObjectRef, datetime]:
    """Return the objects that messages relate somebody to, each with when it is mentioned."""
    mentioned: dict[ObjectRef, datetime] = {}
    for message in messages:
        for relation in message.relationships:
            mentioned.setdefault(relation.object, message.timestamp)
    return mentioned
