"""Histories of a million page views, written past Django: it would take many minutes."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from identity_tracking.identifiers import Kind, Ref
from identity_tracking.models import Activity, Identifier
from tests.benchmarks.ratios import progress

DAYS = 10  # that a history takes
COLUMNS = (
    "id, identifier_id, type, name, properties, context, timestamp, received_at,"
    " source, trusted, message_id"
)
CONTEXT = json.dumps({"page": {"url": "http://shop.example/", "title": "Home – The Shop"}})


def write(browser: str, length: int) -> None:
    """Give a browser ``length`` page views, the last of them now."""
    ref = Ref(Kind.ANONYMOUS_ID, browser)
    created_at = timezone.now()
    Identifier.objects.create(pk=ref.key, kind=ref.kind, value=browser, created_at=created_at)
    rows = _rows(_stored(ref.key), length)
    if connection.vendor == "postgresql":
        _copy(rows)
    else:
        _insert(rows)
    if length >= 100_000:
        progress(f"{length:,} page views of one browser written")


def part(of: float) -> datetime:
    """Return the time at which a history is as far as ``of`` says: 0 its start, 1 its end."""
    return timezone.now() - timedelta(days=DAYS) * (1 - of)


def _rows(identifier: Any, length: int) -> Iterator[tuple[Any, ...]]:
    start, step, base = part(0), timedelta(days=DAYS) / length, secrets.token_hex(8)
    for number in range(length):
        time = (start + step * number).strftime("%Y-%m-%d %H:%M:%S.%f")
        key = f"{base}{number:016x}"
        yield (key, identifier, "page", "/", "{}", CONTEXT, time, time, "shop", False, key)


def _copy(rows: Iterator[tuple[Any, ...]]) -> None:
    table = Activity._meta.db_table
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} ({COLUMNS}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)


def _insert(rows: Iterator[tuple[Any, ...]]) -> None:
    places = ", ".join(["?"] * len(COLUMNS.split(",")))
    connection.ensure_connection()
    connection.connection.executemany(
        f"INSERT INTO {Activity._meta.db_table} ({COLUMNS}) VALUES ({places})",  # noqa: S608 constants
        rows,
    )
    connection.connection.commit()


def _stored(key: Any) -> Any:
    return Identifier._meta.pk.get_db_prep_value(key, connection)
