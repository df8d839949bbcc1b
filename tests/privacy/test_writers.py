"""Whoever stores messages is waited for, and not for ever."""

from __future__ import annotations

import threading

import pytest
from django.db import connections, transaction

from identity_tracking.ingest.process import process
from identity_tracking.privacy import writers
from tests.saying import page

pytestmark = [pytest.mark.server, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def writer():
    """A transaction that has stored a message, and ends when it is let."""
    stored, may_end = threading.Event(), threading.Event()

    def write():
        try:
            with transaction.atomic():
                process([page(anonymous_id="somebody")])
                stored.set()
                may_end.wait(20)
        finally:
            connections.close_all()

    thread = threading.Thread(target=write)
    thread.start()
    assert stored.wait(20)
    yield may_end
    may_end.set()
    thread.join(20)


def test_a_writer_that_does_not_end_is_told(writer, monkeypatch, caplog):
    monkeypatch.setattr(writers, "SECONDS", 1)
    monkeypatch.setattr(writers, "ATTEMPTS", 2)

    writers.wait("default")

    assert "Run prune" in caplog.text


def test_a_writer_that_ends_is_not(writer, caplog):
    threading.Timer(0.2, writer.set).start()

    writers.wait("default")

    assert writer.is_set()
    assert caplog.text == ""


def test_who_writes_later_is_not_kept(caplog):
    writers.wait("default")

    process([page(anonymous_id="somebody")])
    assert caplog.text == ""
