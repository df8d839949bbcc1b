"""Run a block in a transaction, again after a deadlock; say so when the database is down."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connections, router
from django.db.backends.base.base import BaseDatabaseWrapper

from identity_tracking.exceptions import Unavailable
from identity_tracking.identity.rows import Vanished
from identity_tracking.ingest import turns
from identity_tracking.models import Activity

Result = TypeVar("Result")

ATTEMPTS = 5
CONNECT_TIMEOUT = 2  # seconds, where the site sets none: libpq's own default is to wait for ever
DEADLOCK = frozenset(
    {"40001", "40P01"}
)  # https://www.postgresql.org/docs/current/errcodes-appendix.html
MYSQL_RETRY = frozenset({1205, 1213, 1020})  # lock wait timeout, deadlock, record has changed


class Breaker:
    """Stop asking a database that cannot be reached: after 3 failures in a row, for 30 seconds."""

    FAILURES = 3
    REST = 30  # seconds

    def __init__(self) -> None:
        self.failures = 0
        self.open_until = 0.0

    def check(self) -> None:
        """Raise Unavailable while the database is given a rest."""
        remaining = self.open_until - time.monotonic()
        if remaining > 0:
            raise Unavailable("The database was not reachable.", retry_after=int(remaining) + 1)

    def failed(self) -> None:
        self.failures += 1
        if self.failures >= self.FAILURES:
            self.open_until = time.monotonic() + self.REST

    def reset(self) -> None:
        self.failures = 0
        self.open_until = 0.0


breaker = Breaker()


def database() -> str:
    """Return the alias of the database that keeps people, as the site's routers say."""
    return router.db_for_write(Activity)


def in_transaction(block: Callable[[], Result], using: str) -> Result:
    """Run ``block`` in a transaction of its own and return its result after COMMIT.

    Inside a caller's transaction it runs behind a savepoint, and is kept if that one commits.
    ``block`` may run up to 5 times: after a deadlock, a serialisation failure or a busy
    database the whole of it is run again. For SQLite's lock it waits its turn, 20 seconds beyond
    the site's own timeout. Raises Unavailable for database trouble: then nothing was stored.
    """
    connection = connections[using]
    joined = connection.in_atomic_block
    with reachable(using):
        for attempt in range(ATTEMPTS):
            try:
                with turns.atomic(using):
                    return _laid_bare(block)
            except OperationalError as error:
                last = attempt == ATTEMPTS - 1
                if last or not _may_pass(error, connection, joined=joined):
                    raise
                time.sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311
    raise AssertionError("unreachable")


def _laid_bare(block: Callable[[], Result]) -> Result:
    """Run ``block``; raise for database trouble in a transaction within it what the database said.

    For it is the whole of the outermost that may succeed when it is run again.
    """
    try:
        return block()
    except Unavailable as error:
        if type(error) is Unavailable and isinstance(error.__cause__, OperationalError):
            raise error.__cause__ from error.__cause__.__cause__
        raise


@contextmanager
def reachable(using: str) -> Iterator[None]:
    """Turn database trouble into Unavailable, within seconds even where nothing answers."""
    connection = connections[using]
    if not connection.in_atomic_block:
        breaker.check()
    try:
        _connect(connection)
        yield
    except (OperationalError, InterfaceError) as error:
        if connection.connection is None or not connection.is_usable():
            breaker.failed()
            if not connection.in_atomic_block:
                connection.close()
        raise Unavailable("The database is not available.") from error
    else:
        breaker.reset()


def _connect(connection: BaseDatabaseWrapper) -> None:
    """Open the connection; give up after CONNECT_TIMEOUT where the site set no limit."""
    if connection.connection is not None or connection.vendor not in {"postgresql", "mysql"}:
        connection.ensure_connection()
        return
    configured = connection.settings_dict
    options = {"connect_timeout": CONNECT_TIMEOUT, **configured.get("OPTIONS", {})}
    connection.settings_dict = {**configured, "OPTIONS": options}
    try:
        connection.ensure_connection()
    finally:
        connection.settings_dict = configured


def _may_pass(error: OperationalError, connection: BaseDatabaseWrapper, *, joined: bool) -> bool:
    """Say whether the same block may succeed when it is run again.

    In a caller's transaction nothing does after a deadlock, which ends all of it.
    """
    if isinstance(error, Vanished) or joined:
        return isinstance(error, Vanished)
    cause = error.__cause__
    if connection.vendor == "postgresql":
        code = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
        return code in DEADLOCK
    if connection.vendor == "mysql":
        return bool(error.args) and error.args[0] in MYSQL_RETRY
    return turns.is_locked(error, connection)
