"""What something costs a database: the queries asked, and the rows written as it counts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from django.db import connection
from django.test.utils import CaptureQueriesContext

WRITTEN = {
    "mysql": """
        SELECT SUM(VARIABLE_VALUE) FROM information_schema.SESSION_STATUS
        WHERE VARIABLE_NAME IN ('HANDLER_DELETE', 'HANDLER_UPDATE', 'HANDLER_WRITE')
    """,
    "postgresql": "SELECT SUM(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables",
    "sqlite": "SELECT total_changes()",
}


class Cost(NamedTuple):
    queries: int
    rows: int  # inserted, updated and deleted


def cost(act: Callable[[], object]) -> Cost:
    """Return what ``act`` costs, in the transaction at hand."""
    before = number(WRITTEN[connection.vendor])
    with CaptureQueriesContext(connection) as queries:
        act()
    return Cost(len(queries), number(WRITTEN[connection.vendor]) - before)


def number(sql: str) -> int:
    """Return the number that ``sql`` asks for."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return int(cursor.fetchone()[0] or 0)
