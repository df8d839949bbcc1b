"""Delete rows by their keys: no cascade, and no waiting for rows of others."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.models import QuerySet

BATCH = 1_000  # rows a statement


def remove(rows: QuerySet[Any]) -> None:
    """Delete ``rows``, which are found without a lock, and nothing that refers to them.

    MariaDB waits for each row that a statement passes by, and in a small table that is any: it
    gets a statement a row.
    """
    keys = list(rows.order_by().values_list("pk", flat=True))
    step = 1 if connections[rows.db].vendor == "mysql" else BATCH
    table = rows.model._default_manager.using(rows.db)
    for start in range(0, len(keys), step):
        table.filter(pk__in=keys[start : start + step])._raw_delete(rows.db)
