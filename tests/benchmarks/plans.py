"""How a database goes about a query: whether it reads a table from end to end."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.db import connections

from identity_tracking.models import Activity

TABLE = Activity._meta.db_table
_ALIAS = re.compile(rf'"{TABLE}" (?:AS )?"?([A-Z]\d+)"?')
_ASKS = ("SELECT", "(SELECT", "WITH")


def of_activities(queries: Iterable[str], using: str) -> list[str]:
    """Return each way in which ``queries`` read the table of activities, as the plans say it."""
    asked = [sql for sql in queries if sql.startswith(_ASKS) and TABLE in sql]
    return sorted({line for sql in asked for line in _lines(sql, using)})


def scans(ways: Iterable[str]) -> list[str]:
    """Return those of ``ways`` that read the whole table."""
    return [way for way in ways if way.startswith(("Seq Scan", "Parallel Seq Scan", "SCAN (all)"))]


def _lines(sql: str, using: str) -> list[str]:
    connection = connections[using]
    explain = "EXPLAIN (COSTS OFF)" if connection.vendor == "postgresql" else "EXPLAIN QUERY PLAN"
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}")
        plan = [str(row[-1]).strip(" ->") for row in cursor.fetchall()]
    if connection.vendor == "postgresql":
        return [line.rpartition(" on ")[0] for line in plan if f" on {TABLE}" in line]
    return [_short(line) for line in plan if line.split()[1:2] in [[name] for name in _names(sql)]]


def _names(sql: str) -> set[str]:
    """Return what ``sql`` calls the table of activities."""
    return {TABLE, *_ALIAS.findall(sql)}


def _short(line: str) -> str:
    """Return a line of SQLite's without the table's name; a scan without an index is of all."""
    verb, _, rest = line.split(" ", 2) if line.count(" ") > 1 else (*line.split(" "), "")
    return f"{verb} {rest or '(all)'}"
