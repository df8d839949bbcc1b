"""People by the million, with what they did: written past Django, as ``histories`` are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db import connections, transaction
from django.db.models import Model

from identity_tracking.identifiers import Kind, Ref, digest
from identity_tracking.models import Activity, Claim, Identifier, Ownership, Person
from identity_tracking.models.identifier import BEGINNING, END
from tests.benchmarks.ratios import progress

EACH = 10  # activities of a person; the first of them is a passer-by's
BEFORE = 4  # of them, before the person said who they are
DAYS = 80  # that all of it takes, until now
STRIDE = 7_919  # prime to every power of ten: whose turn it is goes round like this
STEP = 200_000  # rows between two lines of progress

Row = tuple[Any, ...]

CONTEXT = json.dumps({"page": {"url": "http://shop.example/", "title": "Home – The Shop"}})
PROPERTIES = {"identify": json.dumps({"plan": "pro"}), "track": json.dumps({"sku": "A1"})}
COLUMNS: dict[type[Model], str] = {
    Identifier: "id, kind, value, known, created_at",
    Person: (
        "anchor_id, cio_id, root_id, user_id, email, attributes, provenance, claimed,"
        " first_seen, last_seen"
    ),
    Ownership: "identifier_id, since, until, person_id",
    Claim: (
        "weak_id, target_id, activity_id, time, message_id, trusted, source, firm,"
        " voided_by, voided_for"
    ),
    Activity: (
        "id, identifier_id, type, name, properties, context, timestamp, received_at,"
        " source, trusted, message_id"
    ),
}


class Member(NamedTuple):
    """The ``number``-th of a population. Every second one has an id, the others an email alone."""

    number: int

    @property
    def id(self) -> str:
        return f"person-{self.number}"

    @property
    def email(self) -> str:
        return f"person-{self.number}@shop.example"

    @property
    def browser(self) -> str:
        return f"browser-{self.number}"

    @property
    def passer_by(self) -> Ref:
        """Another visitor, who stays anonymous."""
        return Ref(Kind.ANONYMOUS_ID, f"passer-by-{self.number}")

    @property
    def is_lead(self) -> bool:
        return bool(self.number % 2)

    @property
    def refs(self) -> list[Ref]:
        """What the member is called, the person's own identifier first."""
        emailed, seen = Ref(Kind.EMAIL, self.email), Ref(Kind.ANONYMOUS_ID, self.browser)
        return [emailed, seen] if self.is_lead else [Ref(Kind.ID, self.id), emailed, seen]


class Population:
    """``people`` in the database ``using``. They take turns, so that nobody's rows lie together."""

    def __init__(self, people: int, using: str) -> None:
        self.people = people
        self.using = using
        self.step = timedelta(days=DAYS) / (people * EACH)
        self.start = datetime.now(UTC) - timedelta(days=DAYS)

    def member(self, turn: int) -> Member:
        return Member(turn * STRIDE % self.people)

    def write(self) -> None:
        """Write all of it, indexes last, and let the database look at what it has."""
        connection = connections[self.using]
        turns = range(self.people)
        self._load(Identifier, (row for turn in turns for row in self._identifiers(turn)))
        self._load(Person, (row for turn in turns for row in self._people(turn)))
        self._load(Ownership, (row for turn in turns for row in self._ownership(turn)))
        self._load(Claim, (row for turn in turns for row in self._claims(turn)))
        indexes = Activity._meta.indexes
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.remove_index(Activity, index)
        self._load(Activity, self._activities())
        with connection.schema_editor() as editor:
            for index in indexes:
                editor.add_index(Activity, index)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
        progress(f"{self.people:,} people and their {self.people * EACH:,} activities written")

    def _at(self, turn: int, which: int) -> str:
        return _text(self.start + self.step * (which * self.people + turn))

    def _identifiers(self, turn: int) -> Iterator[Row]:
        member = self.member(turn)
        *named, browser = member.refs
        seen = [(member.passer_by, 0), (browser, 1), *((ref, BEFORE) for ref in named)]
        for ref, which in seen:
            yield ref.key.hex, int(ref.kind), ref.value, False, self._at(turn, which)

    def _people(self, turn: int) -> Iterator[Row]:
        member = self.member(turn)
        own, *others = (ref for ref in member.refs if ref.kind is not Kind.ANONYMOUS_ID)
        first, said, last = (self._at(turn, which) for which in (1, BEFORE, EACH - 1))
        attributes = {"first_name": "Ada", "last_name": f"Nr {member.number}", "plan": "pro"}
        origin = {"at": said, "source": "shop", "trusted": True, "message_id": member.id}
        provenance = json.dumps(dict.fromkeys(attributes, origin))
        shown = (json.dumps(attributes), provenance, "{}", first, last)
        user_id = None if member.is_lead else member.id
        yield own.key.hex, digest(own.value).hex, None, user_id, member.email, *shown
        for ref in others:
            key = ref.key.hex
            yield key, key, own.key.hex, None, ref.value, "{}", "{}", "{}", said, said

    def _ownership(self, turn: int) -> Iterator[Row]:
        own, *others = (ref.key.hex for ref in self.member(turn).refs)
        for key in (own, *others):
            yield key, _text(BEGINNING), _text(END), own

    def _claims(self, turn: int) -> Iterator[Row]:
        member = self.member(turn)
        own, *others = member.refs
        activity, said = _key(BEFORE * self.people + turn), self._at(turn, BEFORE)
        for ref in others:
            message = (said, f"message-{member.number}", True, "shop", True, "", "")
            yield ref.key.hex, own.key.hex, activity, *message

    def _activities(self) -> Iterator[Row]:
        """All that they did, in the order of time."""
        members = [self.member(turn) for turn in range(self.people)]
        browsers = [member.refs[-1].key.hex for member in members]
        own = [member.refs[0].key.hex for member in members]
        for which in range(EACH):
            kind, name = _kind(which)
            said = PROPERTIES.get(kind, "{}")
            heads = browsers if which < BEFORE else own
            if which == 0:
                heads = [member.passer_by.key.hex for member in members]
            for turn, head in enumerate(heads):
                number = which * self.people + turn
                key, time = _key(number), _text(self.start + self.step * number)
                yield key, head, kind, name, said, CONTEXT, time, time, "shop", False, key

    def _load(self, model: type[Model], rows: Iterable[Row]) -> None:
        table, columns = model._meta.db_table, COLUMNS[model]
        told = _told(rows, str(model._meta.verbose_name_plural), self.using)
        load = _copy if connections[self.using].vendor == "postgresql" else _insert
        load(table, columns, told, self.using)


def _copy(table: str, columns: str, rows: Iterable[Row], using: str) -> None:
    statement = f"COPY {table} ({columns}) FROM STDIN"
    with connections[using].cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def _insert(table: str, columns: str, rows: Iterable[Row], using: str) -> None:
    places = ", ".join("?" * len(columns.split(",")))
    statement = f"INSERT INTO {table} ({columns}) VALUES ({places})"  # noqa: S608 constants
    with transaction.atomic(using=using):
        connections[using].connection.executemany(statement, rows)


def _told(rows: Iterable[Row], what: str, using: str) -> Iterator[Row]:
    """Give ``rows``, and say how many there were by now."""
    for number, row in enumerate(rows, 1):
        yield row
        if number % STEP == 0:
            progress(f"{using}: {number:,} {what}")


def _kind(which: int) -> tuple[str, str]:
    """Return the type and name of each one's activity in a round."""
    if which == BEFORE:
        return "identify", ""
    return ("track", "added_to_cart") if which in {6, 8} else ("page", "/")


def _key(number: int) -> str:
    return f"{number:032x}"


def _text(time: datetime) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")
