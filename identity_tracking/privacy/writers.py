"""Wait for whoever is storing messages, so that what they store can be seen."""

from __future__ import annotations

import logging

from django.db import OperationalError, connections, transaction

from identity_tracking.models import Activity

SECONDS = 2  # who comes later waits as long: it must be less than a browser waits for an answer
ATTEMPTS = 5

logger = logging.getLogger(__name__)


def wait(using: str) -> None:
    """Return when every transaction that had stored an activity by now has ended.

    Asks for a lock that conflicts with theirs, and gives it back at once. Gives up after
    5 times 2 seconds, and says so in the log: what is lost then, ``prune`` takes. SQLite has one
    writer at a time anyway; inside a transaction, which would keep the lock, nobody waits.
    """
    lock = {"postgresql": _lock_postgresql, "mysql": _lock_mysql}.get(connections[using].vendor)
    if lock is None or connections[using].in_atomic_block:
        return
    for _ in range(ATTEMPTS):
        try:
            lock(using)
        except OperationalError:
            continue
        return
    logger.warning("A transaction has been storing messages for long. Run prune after it.")


def _lock_postgresql(using: str) -> None:
    connection = connections[using]
    with transaction.atomic(using=using), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{SECONDS}s'")
        cursor.execute(f"LOCK TABLE {_table(using)} IN SHARE MODE")


def _lock_mysql(using: str) -> None:
    with connections[using].cursor() as cursor:
        cursor.execute(f"SET @@lock_wait_timeout = {SECONDS}")
        try:
            cursor.execute(f"LOCK TABLES {_table(using)} READ")
        finally:
            cursor.execute("UNLOCK TABLES")
            cursor.execute("SET @@lock_wait_timeout = DEFAULT")


def _table(using: str) -> str:
    return connections[using].ops.quote_name(Activity._meta.db_table)
