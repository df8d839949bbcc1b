"""A transaction that waits for SQLite's one write lock until its turn comes."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from django.db import OperationalError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from identity_tracking.exceptions import Unavailable

PATIENCE = 20  # seconds, after the timeout that the site has set
ASKING = 20  # milliseconds that SQLite asks for the lock at a stretch


@contextmanager
def atomic(using: str) -> Iterator[None]:
    """Open a transaction as Django does, but do not give up SQLite's lock to those who came later.

    SQLite asks for it 12 times in the first quarter of a second and then ten times a second, so
    that under a crowd who has waited long is passed by who comes new
    (``sqliteDefaultBusyCallback``, https://github.com/sqlite/sqlite/blob/master/src/main.c).
    Whoever has waited in vain for the site's timeout therefore asks anew, every few milliseconds,
    for 20 seconds more. Raises Unavailable after them: nothing of the block was run.
    """
    connection = connections[using]
    with ExitStack() as stack:
        try:
            stack.enter_context(transaction.atomic(using=using))
        except OperationalError as error:
            if connection.in_atomic_block or not is_locked(error, connection):
                raise
            _insist(stack, using)
        yield


def is_locked(error: OperationalError, connection: BaseDatabaseWrapper) -> bool:
    """Say whether SQLite was held by somebody else for longer than it may be waited for."""
    return connection.vendor == "sqlite" and ("locked" in str(error) or "busy" in str(error))


def _insist(stack: ExitStack, using: str) -> None:
    until = time.monotonic() + PATIENCE
    connection = connections[using]
    with _asking_often(connection):
        while True:
            time.sleep(random.uniform(0, ASKING / 2000))  # noqa: S311
            try:
                stack.enter_context(transaction.atomic(using=using))
            except OperationalError as error:
                if not is_locked(error, connection):
                    raise
                if time.monotonic() > until:
                    raise Unavailable("The database stayed locked.") from error
            else:
                return


@contextmanager
def _asking_often(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        (timeout,) = cursor.fetchone()
        cursor.execute(f"PRAGMA busy_timeout = {ASKING}")
        try:
            yield
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {timeout}")
