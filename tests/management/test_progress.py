from __future__ import annotations

from io import StringIO

from django.core.management.base import OutputWrapper

from identity_tracking.management import progress
from identity_tracking.management.progress import Progress


class Terminal(StringIO):
    def isatty(self):
        return True


def told(stream, *, total, done):
    with Progress(OutputWrapper(stream), "People", total) as people:
        for _ in people.over(range(done)):
            pass
    return stream.getvalue()


def test_a_terminal_gets_a_bar_that_moves(monkeypatch):
    monkeypatch.setattr(progress, "ON_TERMINAL", 0.0)

    bars = told(Terminal(), total=2, done=2).split("\r")

    assert bars[1] == f"[{'#' * 15}{'.' * 15}] People: 1 of 2"
    assert bars[-1] == f"[{'#' * 30}] People: 2 of 2\n"


def test_a_log_gets_lines_now_and_then(monkeypatch):
    assert told(StringIO(), total=2_000, done=2_000) == "People: 2,000 of 2,000\n"

    monkeypatch.setattr(progress, "IN_LOG", 0.0)

    assert told(StringIO(), total=None, done=1) == "People: 1\nPeople: 1\n"


def test_more_than_was_expected_is_no_longer_bar():
    assert told(Terminal(), total=1, done=3).startswith("\r[" + "#" * 30 + "] People: 3 of 1")
