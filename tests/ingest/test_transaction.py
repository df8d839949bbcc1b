from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import closing, contextmanager, suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, OperationalError, connection, connections, transaction

from identity_tracking.exceptions import Unavailable
from identity_tracking.ingest import turns
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import (
    ATTEMPTS,
    CONNECT_TIMEOUT,
    Breaker,
    _may_pass,
    breaker,
    database,
    in_transaction,
    reachable,
)
from identity_tracking.messages import Outcome
from identity_tracking.models import Activity, Identifier
from tests.factories import IdentifierFactory
from tests.saying import page

on_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="needs SQLite")
on_sqlite_immediate = pytest.mark.skipif(
    "connection.settings_dict.get('OPTIONS', {}).get('transaction_mode') != 'IMMEDIATE'",
    reason="needs SQLite, locked as a transaction begins",
)
CUTS = {
    "postgresql": "SELECT pg_terminate_backend(pg_backend_pid())",
    "mysql": "KILL CONNECTION_ID()",
}
with_commits = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _rested():
    breaker.reset()
    yield
    breaker.reset()


@pytest.fixture
def impatient():
    """A connection that waits for no lock."""
    set_timeout(0)
    yield
    connection.close()


def set_timeout(milliseconds):
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout = {milliseconds}")


@pytest.fixture
def dead(monkeypatch, django_db_setup, django_db_blocker):
    """The alias of a database that nothing answers for. Django's tests allow none but their own."""
    settings = {
        **connection.settings_dict,
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "people",
        "HOST": "/nonexistent",
        "OPTIONS": {},
    }
    monkeypatch.setitem(connections.databases, "dead", settings)
    with django_db_blocker.unblock():
        yield "dead"
    connection.close()
    del connections["dead"]


@contextmanager
def somebody_writing():
    """Let another thread hold SQLite's one write lock; gives what makes it let go."""
    holds, may_end = threading.Event(), threading.Event()

    def hold():
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
            other.execute("BEGIN IMMEDIATE")
            holds.set()
            may_end.wait(10)
            other.rollback()

    def let_go(*args):
        may_end.set()
        thread.join()

    thread = threading.Thread(target=hold)
    thread.start()
    holds.wait(10)
    try:
        yield let_go
    finally:
        let_go()


def in_transactions(depth, block):
    """Run ``block`` in so many transactions, each within the other."""
    for _ in range(depth):
        block = partial(in_transaction, block, database())
    return block()


def together(*works):
    """Run every work in a thread of its own, and return what each gave or raised."""
    results: list[Any] = [None] * len(works)

    def run(index, work):
        try:
            results[index] = work()
        except DatabaseError as error:
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(works)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return results


# Running again


@pytest.mark.django_db
def test_the_result_of_the_block_is_returned():
    assert in_transaction(lambda: 42, database()) == 42


@with_commits
@on_sqlite
def test_a_busy_database_is_asked_again(impatient, monkeypatch):
    with somebody_writing() as let_go:
        monkeypatch.setattr(time, "sleep", let_go)

        assert process([page(anonymous_id="X")]) == [Outcome.STORED]


@with_commits
@on_sqlite_immediate
def test_a_database_that_stays_busy_is_asked_often_and_given_up(impatient, monkeypatch):
    pauses: list[float] = []
    begun = time.monotonic()

    def passes(seconds):
        pauses.append(seconds)
        monkeypatch.setattr(time, "monotonic", lambda: begun + len(pauses))

    monkeypatch.setattr(time, "sleep", passes)
    with somebody_writing(), pytest.raises(Unavailable, match="stayed locked"):
        process([page(anonymous_id="X")])

    assert len(pauses) == turns.PATIENCE + 1
    assert max(pauses) <= turns.ASKING / 1000
    assert not Activity.objects.exists()
    assert process([page(anonymous_id="X")]) == [Outcome.STORED]


@with_commits
@on_sqlite_immediate
def test_who_waits_for_the_lock_hears_of_other_trouble_at_once():
    troubles = iter(["database is locked", "disk I/O error"])

    def trouble(execute, sql, params, many, context):
        if sql.startswith("BEGIN"):
            raise OperationalError(next(troubles))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(trouble), pytest.raises(Unavailable, match="not available"):
        process([page(anonymous_id="X")])

    assert next(troubles, None) is None


@with_commits
@on_sqlite_immediate
def test_who_waited_long_leaves_the_sites_timeout_as_it_was(monkeypatch):
    set_timeout(3)
    with somebody_writing() as let_go:
        monkeypatch.setattr(time, "sleep", let_go)

        assert process([page(anonymous_id="X")]) == [Outcome.STORED]

    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (3,)
    connection.close()


@with_commits
@on_sqlite
def test_the_outermost_of_several_transactions_is_run_again(monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    troubles = [OperationalError("database is locked")]

    def meet():
        for trouble in troubles:
            troubles.remove(trouble)
            raise trouble
        return "done"

    assert in_transactions(2, meet) == "done"


@pytest.mark.case("FAULT-05")
@with_commits
@on_sqlite
def test_a_block_that_meets_a_lock_is_run_five_times(monkeypatch):
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)

    def meet():
        raise OperationalError("database is locked")

    with pytest.raises(Unavailable):
        in_transaction(meet, database())

    assert len(pauses) == ATTEMPTS - 1


@with_commits
@on_sqlite
def test_a_callers_transaction_is_never_run_again(impatient, monkeypatch):
    monkeypatch.setattr(time, "sleep", pytest.fail)

    def wait():
        raise OperationalError("database is locked")

    with transaction.atomic(), pytest.raises(Unavailable):
        in_transaction(wait, database())


@pytest.mark.case("FAULT-05")
@with_commits
@pytest.mark.server
@pytest.mark.parametrize("depth", [1, 2])
def test_of_two_in_a_deadlock_both_succeed(depth):
    one, other = IdentifierFactory(), IdentifierFactory()
    both_hold = threading.Barrier(2)
    tries = []

    def lock(*rows):
        tries.append(rows)
        for row in rows:
            Identifier.objects.select_for_update().get(pk=row.pk)
            with suppress(threading.BrokenBarrierError):
                both_hold.wait(2)
        return "done"

    results = together(
        lambda: in_transactions(depth, lambda: lock(one, other)),
        lambda: in_transactions(depth, lambda: lock(other, one)),
    )

    assert results == ["done", "done"]
    assert len(tries) > 2


@with_commits
@pytest.mark.postgres
def test_of_two_that_cannot_be_put_in_order_both_succeed():
    row = IdentifierFactory()
    both_have_read = threading.Barrier(2)
    tries = []

    def change():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        tries.append(Identifier.objects.get(pk=row.pk))
        with suppress(threading.BrokenBarrierError):
            both_have_read.wait(2)
        return Identifier.objects.filter(pk=row.pk).update(known=True)

    assert together(*[lambda: in_transaction(change, database())] * 2) == [1, 1]
    assert len(tries) == 3


@pytest.mark.parametrize(
    ("code", "passes"), [(1213, True), (1205, True), (1020, True), (1064, False)]
)
def test_a_deadlock_of_mariadb_passes_and_a_mistake_does_not(code, passes):
    mariadb: Any = SimpleNamespace(vendor="mysql")

    assert _may_pass(OperationalError(code, "text"), mariadb, joined=False) is passes


@with_commits
def test_a_mistake_in_a_block_is_not_run_again():
    tries = []

    def fail():
        tries.append(1)
        with connection.cursor() as cursor:
            cursor.execute("SELECT nothing FROM nowhere")

    with pytest.raises((DatabaseError, Unavailable)):
        in_transaction(fail, database())
    assert len(tries) == 1


# No database


def test_a_server_that_is_gone_is_said_to_be(dead):
    with pytest.raises(Unavailable) as raised:
        in_transaction(lambda: 42, dead)

    assert raised.value.code == "unavailable"
    assert raised.value.retry_after > 0


def test_after_three_failures_nobody_asks_for_a_while(dead, monkeypatch):
    for _ in range(Breaker.FAILURES):
        with pytest.raises(Unavailable, match="not available"):
            in_transaction(lambda: 42, dead)

    with pytest.raises(Unavailable, match="was not reachable") as raised:
        in_transaction(lambda: 42, dead)
    assert 0 < raised.value.retry_after <= Breaker.REST

    later = time.monotonic() + Breaker.REST + 1
    monkeypatch.setattr(time, "monotonic", lambda: later)
    with reachable(database()):
        assert breaker.failures == 3
    assert breaker.failures == 0


def test_a_success_forgets_the_failures_before_it(dead):
    for alias in [dead, dead, database(), dead, dead, database()]:
        with suppress(Unavailable), reachable(alias):
            pass

    breaker.check()


def test_a_server_that_hangs_is_given_up_within_seconds(dead, monkeypatch):
    asked = {}

    def connect(parameters):
        asked.update(parameters)
        raise OperationalError

    monkeypatch.setattr(connections[dead], "get_new_connection", connect)
    with pytest.raises(Unavailable), reachable(dead):
        pass

    assert asked["connect_timeout"] == CONNECT_TIMEOUT
    assert "connect_timeout" not in connections[dead].settings_dict["OPTIONS"]


def cut():
    """Have the server end the connection."""
    with connection.cursor() as cursor:
        cursor.execute(CUTS[connection.vendor])


@with_commits
@pytest.mark.server
def test_a_connection_that_was_cut_is_made_anew():
    with pytest.raises(Unavailable):
        in_transaction(cut, database())

    assert process([page(anonymous_id="X")]) == [Outcome.STORED]


@with_commits
@pytest.mark.server
def test_a_connection_that_was_cut_in_a_callers_transaction_stays_the_callers():
    with suppress(DatabaseError), transaction.atomic():
        with pytest.raises(Unavailable):
            in_transaction(cut, database())
        transaction.set_rollback(True)
    connection.close()

    assert process([page(anonymous_id="X")]) == [Outcome.STORED]
