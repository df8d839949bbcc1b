"""What a message, a merge and an undo cost as histories grow: in queries, and in rows written."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction

from identity_tracking import merge
from identity_tracking.admin import timeline
from identity_tracking.admin.timeline import TimelinePaginator
from identity_tracking.ingest.process import process
from identity_tracking.messages import Type
from identity_tracking.models import Activity, MergeOperation, Ownership
from identity_tracking.models.activity import spans
from tests.costs import cost, number
from tests.saying import alias, identify, message, page, person, relate, track

pytestmark = pytest.mark.django_db

SHORT, LONG = 10, 1_000  # activities of every identifier
FEW, MANY = 12, 300  # claims on one identifier
SOME, LOTS = 3, 60  # identifiers of one person
PER_PAGE, CEILING = 50, 100
OTHERS = 30_000  # activities of others
HISTORY = 3_000  # activities: next to it even a ceiling's worth is little, to whoever plans
LOOK_UPS = 1  # queries at most for each stretch whose writings are read anew
READ = """
    SELECT SUM(COALESCE(seq_tup_read, 0) + COALESCE(idx_tup_fetch, 0))
    FROM pg_stat_xact_user_tables WHERE relname LIKE 'identity_tracking_%'
"""
A: dict[str, Any] = {"id": "A", "email": "a@x.org"}
B: dict[str, Any] = {"id": "B", "email": "b@x.org"}
LEAD = "lead@x.org"
# Seen at both ends of the story: so when they were seen never changes.
SEEN: Sequence[dict[str, Any]] = ({"id": "A"}, {"id": "B"}, {"email": LEAD})

MESSAGES = {
    "page of a person": page(id="A", at=50),
    "page of a browser": page(anonymous_id="X", at=50),
    "page of a visitor": page(anonymous_id="Z", at=50),
    "page of somebody new": page(anonymous_id="W", at=50),
    "page before all others": page(anonymous_id="X", at=0),
    "track": track(id="A", at=50),
    "track by email": track(email="a@x.org", at=50),
    "identify by id": identify(id="A", properties={"plan": "pro"}, at=50),
    "identify by email": identify(email=LEAD, properties={"plan": "free"}, at=50),
    "identify by both": identify(**A, at=50),
    "identify with its own browser": identify(**A, anonymous_id="X", trusted=True, at=15),
    "identify with another's browser": identify(**A, anonymous_id="X", trusted=True, at=98),
    "identify with a visitor, late": identify(**A, anonymous_id="Z", at=98),
    "identify with a visitor, early": identify(**A, anonymous_id="Z", at=0),
    "identify between two claims": identify(**A, anonymous_id="X", trusted=True, at=40),
    "identify a third, last": identify(id="C", anonymous_id="X", at=98),
    "identify a third, between": identify(id="C", anonymous_id="X", at=40),
    "identify a lead": identify(id="A", email=LEAD, trusted=True, at=98),
    "identify with another's email": identify(id="B", email="a@x.org", trusted=True, at=50),
    "identify with an email not its own": identify(id="B", email="a@x.org", at=50),
    "form": message(Type.FORM, email=LEAD, anonymous_id="Z", at=50),
    "link": message(Type.LINK, id="A", anonymous_id="Z", at=50),
    "alias": alias(id="A", previous="Z", at=50),
    "group": message(Type.GROUP, id="A", at=50),
    "relate": relate("bolt", id="A", role="admin", at=50),
    "relate a visitor": relate("bolt", anonymous_id="Z", role="admin", at=50),
    "relate a browser": relate("bolt", anonymous_id="X", role="admin", at=50),
    "unrelate": relate("acme", present=False, id="A", at=50),
}


def cost_of(said):
    """What a message costs that arrives, and again."""
    with forgotten():
        return cost(lambda: process([said])), cost(lambda: process([said]))


def costs(messages):
    return {name: cost_of(said) for name, said in messages.items()}


@contextmanager
def forgotten():
    """Let what happens end as if it had not happened."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def told(*said, length=0):
    """Two people, a browser that both used, a lead, a visitor, each with a history."""
    with forgotten():
        process(
            [
                identify(**A, anonymous_id="X", trusted=True, at=10),
                identify(**B, anonymous_id="X", trusted=True, at=60),
                identify(email=LEAD, anonymous_id="Y", properties={"plan": "pro"}, at=20),
                page(anonymous_id="Z", at=1),
                relate("acme", id="A", at=11),
                *(page(**one, at=at) for one in SEEN for at in (0, 99)),
                *said,
            ]
        )
        if length:
            remember(length)
        yield


def hours(count, first, last):
    return [first + (last - first) * n / (count - 1) for n in range(count)]


def remember(length):
    """Give each identifier page views without a word of who it is, from hour 1 to hour 99."""
    who: Sequence[dict[str, Any]] = (
        *({"anonymous_id": name} for name in "XYZ"),
        *({"email": email} for email in ("a@x.org", LEAD)),
        *({"id": name} for name in "AB"),
    )
    Activity.objects.bulk_create(
        Activity.from_message(page(**one, at=at)) for one in who for at in hours(length, 1, 99)
    )


def crowd():
    """Give others so much to do that to find somebody's among all by time is never cheaper."""
    Activity.objects.bulk_create(
        (
            Activity.from_message(page(anonymous_id=f"other {number % 400}", at=at))
            for number, at in enumerate(hours(OTHERS, 1, 99))
        ),
        batch_size=LONG,
    )


# A long history


def test_no_message_costs_more_after_a_long_history():
    with told(length=SHORT):
        after_few = costs(MESSAGES)
    with told(length=LONG):
        assert costs(MESSAGES) == after_few


def test_a_message_writes_few_rows():
    with told(length=SHORT):
        written = {name: first.rows for name, (first, _) in costs(MESSAGES).items()}

    assert max(written.values()) <= 12
    assert all(written[name] == 1 for name in written if name.startswith("page of a "))


@pytest.mark.skipif(connection.vendor == "mysql", reason="MariaDB counts an insert it ignores")
def test_a_repeat_writes_nothing():
    with told():
        assert {again.rows for _, again in costs(MESSAGES).values()} == {0}


def test_a_merge_and_its_undo_cost_no_more_after_a_long_history():
    with told(length=SHORT):
        after_few = cost_of_merge()
    with told(length=LONG):
        assert cost_of_merge() == after_few


def cost_of_merge():
    with forgotten():
        merging = cost(lambda: merge(person(id="A"), person(id="B")))
        return merging, cost(MergeOperation.objects.get().undo)


@pytest.mark.postgres
def test_no_message_reads_more_of_a_long_history():
    with forgotten():
        crowd()
        with told(length=SHORT):
            of_few = rows_read()
        with told(length=LONG):
            of_many = rows_read()

    grown = {name for name, read in of_many.items() if read > of_few[name] + SHORT}
    assert grown <= {"relate a browser"}  # what a shared browser itself wrote is read anew


def rows_read():
    """How many rows each message reads, where the indexes are used."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
        cursor.execute("SET LOCAL enable_seqscan = off")
    read = {}
    for name, said in MESSAGES.items():
        before = number(READ)
        cost_of(said)
        read[name] = number(READ) - before
    return read


# Many claims


@pytest.mark.parametrize("others", [[A], [A, B]], ids=["by one", "by two in turn"])
def test_no_message_writes_more_to_a_browser_claimed_often(others):
    with told(*claims_on_browser(FEW, others)):
        after_few, stretches = costs(MESSAGES), Ownership.objects.count()
    with told(*claims_on_browser(MANY, others)):
        assert_alike(after_few, costs(MESSAGES), Ownership.objects.count() - stretches)


def claims_on_browser(count, people):
    return [
        identify(**people[n % len(people)], anonymous_id="X", trusted=True, at=at)
        for n, at in enumerate(hours(count, 21, 59))
    ]


def test_no_message_costs_more_where_an_email_was_claimed_often():
    with told(*(identify(**A, trusted=True, at=at) for at in hours(FEW, 21, 59))):
        after_few = costs(MESSAGES)
    with told(*(identify(**A, trusted=True, at=at) for at in hours(MANY, 21, 59))):
        assert costs(MESSAGES) == after_few


# Many identifiers


def browsers(count):
    return [identify(id="A", anonymous_id=f"X{n}", trusted=True, at=20) for n in range(count)]


def emails(count):
    return [identify(id="A", email=f"a{n}@x.org", trusted=True, at=20) for n in range(count)]


@pytest.mark.parametrize("identifiers", [browsers, emails])
def test_no_message_writes_more_for_somebody_of_many_identifiers(identifiers):
    with told(*identifiers(SOME)):
        of_some = costs(MESSAGES)
    with told(*identifiers(LOTS)):
        assert_alike(of_some, costs(MESSAGES), LOTS - SOME)


@pytest.mark.parametrize("identifiers", [browsers, emails])
def test_a_merge_asks_more_for_each_identifier_and_writes_no_more(identifiers):
    with told(*identifiers(SOME)):
        of_some = cost_of_merge()
    with told(*identifiers(LOTS)):
        of_lots = cost_of_merge()

    for few, many in zip(of_some, of_lots, strict=True):
        assert many.rows == few.rows
        assert many.queries <= few.queries + (LOOK_UPS + 1) * (LOTS - SOME)


def assert_alike(few, many, stretches):
    """As many rows are written; who loses some history is seen anew, by all their stretches."""
    for name in MESSAGES:
        for one, other in zip(few[name], many[name], strict=True):
            assert other.rows == one.rows, name
            assert other.queries <= one.queries + LOOK_UPS * stretches, name


# The one cost that grows


def late_claim(*, inside, outside=0):
    """What a late claim of an email costs, by how many browsers claimed it in the span or not."""
    claims = [
        identify(email=LEAD, anonymous_id=f"X{n}", at=40 if n < inside else 15)
        for n in range(inside + outside)
    ]
    owners = [identify(id=id, email=LEAD, trusted=True, at=at) for id, at in (("A", 10), ("B", 60))]
    with told(*owners, *claims):
        return cost_of(identify(id="C", email=LEAD, trusted=True, at=30))[0]


def test_a_late_claim_of_an_email_costs_as_much_for_each_browser_in_its_span():
    five, ten, twenty = (late_claim(inside=n) for n in (5, 10, 20))

    assert ten.rows - five.rows == 5
    assert twenty.rows - ten.rows == 10
    assert twenty.queries - ten.queries == 2 * (ten.queries - five.queries)


def test_a_late_claim_of_an_email_writes_nothing_of_browsers_outside_its_span():
    few, many = (late_claim(inside=0, outside=n) for n in (5, 20))

    assert many.rows == few.rows
    assert many.queries <= few.queries + LOOK_UPS * 15


# The timeline


@contextmanager
def long_timeline():
    """Somebody with a long history on many identifiers, one of them contested."""
    with told(*browsers(SOME), length=HISTORY):
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        yield person(id="A")


def plan_of_first_page(someone, explain):
    """How the database would find the keys of a timeline's first page, row by row."""
    asked = []

    def note(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    paginator = TimelinePaginator(Activity.objects.all(), PER_PAGE, spans=spans(someone))
    with connection.execute_wrapper(note):
        list(paginator.get_page(1))
    [(sql, params)] = [(sql, params) for sql, params in asked if "UNION ALL" in sql]
    with connection.cursor() as cursor:
        cursor.execute(f"{explain} {sql}", params)
        return cursor.fetchall()


@pytest.fixture
def _low_ceiling(monkeypatch):
    """Let a history that is quickly written be one that is not counted to its end."""
    monkeypatch.setattr(timeline, "CEILING", CEILING)
    monkeypatch.setattr(timeline, "SAMPLE", CEILING)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="reads SQLite's own plans")
@pytest.mark.usefixtures("_low_ceiling")
def test_the_first_page_of_a_timeline_sorts_no_history_on_sqlite():
    with long_timeline() as someone:
        plan = plan_of_first_page(someone, "EXPLAIN QUERY PLAN")

    parts = {key for key, _, _, what in plan if what.startswith("CO-ROUTINE part")}
    steps = [what for _, parent, _, what in plan if parent in parts]
    assert len(steps) == len(parts) >= SOME
    assert all("INDEX activity_history" in what for what in steps)


@pytest.mark.postgres
@pytest.mark.usefixtures("_low_ceiling")
def test_the_first_page_of_a_timeline_sorts_no_history_on_postgresql():
    with long_timeline() as someone:
        [(plan,)] = plan_of_first_page(someone, "EXPLAIN (ANALYZE, FORMAT JSON)")

    scans = [step for step in steps_of(plan[0]["Plan"]) if "Relation Name" in step]
    assert len(scans) >= SOME
    assert max(step["Actual Rows"] for step in scans) <= CEILING + 1


def steps_of(step):
    yield step
    for below in step.get("Plans", ()):
        yield from steps_of(below)
