"""Whatever statement the database fails at, an event is kept once or the client told to repeat."""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError, connection

from identity_tracking.models import Activity, Identifier, Person
from tests.attacks.entrances import ENTRANCES
from tests.saying import hour
from tests.web import Browser, identify, said, track

PASSING = {  # what each database says of a transaction that may be run again
    "postgresql": ("40P01", "40001"),
    "mysql": (1213, 1205),
    "sqlite": ("database is locked", "database table is locked"),
}


def trouble(reason):
    """Return the error by which this database says ``reason``."""
    error = OperationalError(reason, "injected")
    cause = OperationalError(reason)
    cause.sqlstate = reason  # type: ignore[attr-defined]
    error.__cause__ = cause
    return error


@contextmanager
def failing(reason, at):
    """Fail at the statements whose numbers are in ``at``; yields the count of all."""
    numbers = itertools.count()
    last = [0]

    def fail(execute, sql, params, many, context):
        last[0] = next(numbers)
        if last[0] in at:
            raise trouble(reason)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield last


def kept():
    return Activity.objects.count(), Person.objects.count(), Identifier.objects.count()


@pytest.fixture
def at_once(monkeypatch):
    """Let no attempt wait for another."""
    monkeypatch.setattr("time.sleep", lambda seconds: None)


@pytest.mark.case("FAULT-05")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("at_once")
def test_a_deadlock_at_any_statement_costs_a_repetition_and_no_event():
    reasons = itertools.cycle(PASSING[connection.vendor])
    for statement in itertools.count():
        id, before = f"id-{statement}", kept()

        with failing(next(reasons), at={statement}) as last:
            answer = Browser().send(identify(id, email=f"{id}@shop.test", anonymous_id=f"a-{id}"))

        assert answer.status_code == 200, statement
        assert kept() == tuple(map(sum, zip(before, (1, 2, 3), strict=True))), statement
        if last[0] < statement:
            break
    assert statement > 10


@pytest.mark.case("FAULT-05")
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("at_once")
@pytest.mark.parametrize("name", ENTRANCES)
def test_a_database_that_never_yields_is_503_and_keeps_nothing(name):
    entrance = ENTRANCES[name]

    for statement in range(3):
        with failing(PASSING[connection.vendor][0], at=range(statement, 10_000)):
            answer = entrance.post(entrance.event())

        assert (answer.status_code, answer["Retry-After"].isdigit()) == (503, True)
    assert kept() == (0, 0, 0)


@pytest.mark.case("FAULT-12")
@pytest.mark.django_db
def test_a_clock_that_jumps_breaks_nothing_and_ages_nobody_backwards():
    now = hour(0)

    for jump in (timedelta(0), timedelta(hours=-1), timedelta(days=1), timedelta(0)):
        with time_machine.travel(now + jump, tick=False):
            for message in (said(anonymous_id="a-1"), track(id="42"), identify("42")):
                assert Browser().send(message).status_code == 200

    ada = Person.objects.get()
    assert ada.first_seen <= ada.last_seen
    assert all(one.timestamp <= one.received_at for one in Activity.objects.all())
