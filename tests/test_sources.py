from __future__ import annotations

import threading
import time
from contextlib import contextmanager
from hashlib import sha256

import pytest
from django.db import DatabaseError, OperationalError, connection, connections

from identity_tracking import sources
from identity_tracking.exceptions import Unavailable
from identity_tracking.ingest.transaction import CONNECT_TIMEOUT
from identity_tracking.models import SecretKey, Source
from identity_tracking.sources import Registry, make_key, public, revoke, secret, used
from tests.factories import SourceFactory
from tests.web import configure

pytestmark = pytest.mark.django_db
with_commits = pytest.mark.django_db(transaction=True)


@pytest.fixture
def wait(monkeypatch):
    """Let seconds pass."""

    def do(seconds):
        later = time.monotonic() + seconds
        monkeypatch.setattr(time, "monotonic", lambda: later)

    return do


@contextmanager
def table_away():
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE identity_tracking_source RENAME TO elsewhere")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO identity_tracking_source")


def test_a_key_proves_its_source_and_no_other():
    one, other = SourceFactory.create_batch(2)
    keys = [make_key(one), make_key(one), make_key(other)]

    proven = [secret(key) for key in keys]

    assert [known and known.site_id for known in proven] == [one.site_id] * 2 + [other.site_id]
    assert secret(keys[0][:-1]) is secret("") is secret(one.site_id) is None


def test_a_site_id_is_public_and_no_key():
    source = SourceFactory(allowed_origins="https://a.example\nhttps://b.example")

    known = public(source.site_id)

    assert known
    assert known.key is None
    assert known.origins == frozenset({"https://a.example", "https://b.example"})
    assert public(make_key(source)) is public("") is public(source.site_id.upper()) is None


def test_the_settings_source_never_costs_a_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert public("shop") == secret("test-key")


def test_a_site_without_an_api_key_has_no_empty_one(settings):
    configure(settings, API_KEY="")

    assert secret("") is None


def test_rows_are_read_once_a_second_whatever_is_asked(django_assert_num_queries, wait):
    source = SourceFactory()
    key = make_key(source)
    for _ in range(2):
        with django_assert_num_queries(1):
            assert public(source.site_id)
            assert secret(key)
            assert public("unknown") is secret(f"{sources.PREFIX}unknown") is None
        wait(sources.FRESH)


def test_what_can_be_no_key_of_a_row_is_not_looked_for(django_assert_num_queries):
    with django_assert_num_queries(0):
        assert secret("sk_live_of_somebody_else") is None


@pytest.mark.case("AUTH-06")
@pytest.mark.parametrize("end", ["revoke", "disable"])
def test_an_end_holds_within_a_second(end, wait):
    source = SourceFactory()
    key = make_key(source)
    assert secret(key)

    if end == "revoke":
        revoke(source.keys.get())
    else:
        Source.objects.update(enabled=False)
    wait(sources.FRESH)

    assert secret(key) is None
    assert (public(source.site_id) is None) == (end == "disable")


def test_a_revoked_key_was_revoked_when_it_first_was():
    key = SecretKey(source=SourceFactory(), digest="d")
    key.save()
    revoke(key)
    first = SecretKey.objects.get().revoked_at

    revoke(key)

    assert SecretKey.objects.get().revoked_at == first


@pytest.mark.case("AUTH-12")
def test_a_key_cannot_be_read_again():
    key = make_key(SourceFactory(), "the till")

    kept = SecretKey.objects.values_list("digest", "hint", "label").get()

    assert kept == (sha256(key.encode()).hexdigest(), key[-4:], "the till")
    assert len(key) == len(sources.PREFIX) + 64


@with_commits
@pytest.mark.parametrize("ask", [public, secret])
def test_trouble_is_not_taken_for_a_wrong_key(ask):
    with table_away(), pytest.raises(Unavailable) as trouble:
        ask(f"{sources.PREFIX}key")

    assert trouble.value.retry_after == 5


def test_who_waited_for_a_database_that_does_not_answer_asks_no_more(wait):
    queries = []

    def hang(*query):
        queries.append(query)
        wait(CONNECT_TIMEOUT)
        raise OperationalError

    with connection.execute_wrapper(hang):
        for _ in range(2):
            with pytest.raises(Unavailable):
                public("blog")

    assert len(queries) == 1


@with_commits
def test_in_trouble_the_origins_of_before_are_allowed(wait):
    SourceFactory(allowed_origins="https://a.example")
    assert sources.is_allowed_somewhere("https://a.example")
    wait(sources.FRESH)

    with table_away():
        assert sources.is_allowed_somewhere("https://a.example")
        assert not sources.is_allowed_somewhere("https://b.example")


@with_commits
def test_of_many_threads_one_reads():
    registry, queries = Registry(), []
    together = threading.Barrier(8)

    def read():
        together.wait(10)

        def note(run, *query):
            queries.append(query[0])
            return run(*query)

        with connection.execute_wrapper(note):
            registry.rows()
        connections.close_all()

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert len([query for query in queries if "identity_tracking_source" in query]) == 1


def test_use_is_noted_once_an_hour(django_assert_num_queries, wait):
    key = secret(make_key(SourceFactory()))
    assert key
    for _ in range(2):
        with django_assert_num_queries(1):
            used(key)
            used(key)
        wait(sources.USED_EVERY)

    assert SecretKey.objects.get().last_used_at


def test_use_that_cannot_be_noted_stops_nobody(caplog):
    known = secret(make_key(SourceFactory()))
    assert known

    def fail(*query):
        raise DatabaseError

    with connection.execute_wrapper(fail):
        used(known)

    assert "could not be noted" in caplog.text
