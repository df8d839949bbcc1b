"""Lock rows until the transaction ends, in key order, as each database does it best."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db import connections
from django.db.models import QuerySet


def lock(rows: QuerySet[Any], keys: Iterable[UUID]) -> dict[UUID, Any]:
    """Lock those of ``rows`` that have ``keys``, in key order, and return those there are.

    MariaDB gets one statement a row: a range over a small table scans, and waits for, rows that
    are not wanted. SQLite has one writer at a time anyway.
    """
    ordered = sorted(keys)
    if not ordered:
        return {}
    vendor = connections[rows.db].vendor
    if vendor == "mysql":
        one_by_one = (rows.select_for_update().filter(pk=key).first() for key in ordered)
        return {row.pk: row for row in one_by_one if row}
    held = rows.select_for_update(no_key=vendor == "postgresql").filter(pk__in=ordered)
    return {row.pk: row for row in held.order_by("pk")}
