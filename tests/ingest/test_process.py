from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from identity_tracking.ingest.process import process
from identity_tracking.messages import Outcome
from identity_tracking.models import Activity, FailedEvent, Identifier, Person
from identity_tracking.signals import activity_recorded, person_identified
from tests.factories import ActivityFactory, FailedEventFactory
from tests.saying import hour, identify, owner, page, person, relate, track

pytestmark = pytest.mark.django_db

STORED, DUPLICATE, REFUSED = Outcome.STORED, Outcome.DUPLICATE, Outcome.REFUSED


@pytest.fixture
def heard():
    """What the signals told."""
    told = []

    def hear(sender, **said):
        told.append((sender, said))

    activity_recorded.connect(hear)
    person_identified.connect(hear)
    yield told
    activity_recorded.disconnect(hear)
    person_identified.disconnect(hear)


def written(queries):
    return [query["sql"] for query in queries if query["sql"].lstrip().startswith(WRITES)]


WRITES = ("INSERT", "UPDATE", "DELETE")


# Once


def test_nothing_to_process_is_nothing_done():
    assert process([]) == []


def test_a_message_is_kept_as_it_was_said():
    said = track(id="u", at=1, properties={"sku": "A1"}, context={"ip": "192.0.2.0"}, trusted=True)

    process([said])

    kept = Activity.objects.get()
    for field in ("type", "name", "properties", "context", "timestamp", "received_at"):
        assert getattr(kept, field) == getattr(said, field)
    assert (kept.pk, kept.identifier.value) == (said.key, "u")
    assert (kept.source, kept.trusted, kept.message_id) == ("shop", True, said.message_id)


def test_a_message_is_stored_once():
    said = page(anonymous_id="X")

    assert process([said]) == [STORED]
    assert process([said]) == [DUPLICATE]
    assert Activity.objects.count() == 1


def test_a_message_twice_in_one_batch_is_stored_once():
    said = page(anonymous_id="X")

    assert process([said, said, said]) == [STORED, DUPLICATE, DUPLICATE]


def test_the_first_copy_of_a_message_is_the_message():
    process([page(id="u", message_id="m", name="first")])
    process([page(id="v", message_id="m", name="second")])

    assert [row.name for row in Activity.objects.all()] == ["first"]
    assert not Person.objects.filter(user_id="v").exists()


def test_a_browser_cannot_swallow_the_message_of_a_server():
    same: dict[str, Any] = {"id": "u", "message_id": "m"}
    process([track(**same)])

    assert process([track(**same, trusted=True), track(**same, source="app")]) == [STORED, STORED]


def test_outcomes_stand_in_the_order_of_the_messages():
    old, new, nobody = page(id="u"), page(id="v"), page(cio_id="nobodys")
    process([old])

    assert process([nobody, new, old, new]) == [REFUSED, STORED, DUPLICATE, DUPLICATE]


@pytest.mark.parametrize("size", [1, 2, 250, 1200])
def test_inserting_tells_exactly_which_rows_are_new(size):
    old = ActivityFactory.create_batch(2)
    new = ActivityFactory.build_batch(size, identifier=old[0].identifier)

    told = Activity.objects.insert_new([*new, *old])

    assert told == {row.pk for row in new}
    assert Activity.objects.count() == size + 2


def test_a_message_that_was_stored_settles_nothing_again(django_assert_num_queries):
    said = identify(id="u", email="e@x.org", anonymous_id="X", properties={"plan": "pro"})
    process([said])

    with django_assert_num_queries(4):  # a savepoint, the insert, who is refused, its release
        process([said])


# What could not be accepted


def test_what_failed_beside_the_messages_is_kept():
    process([page(id="u")], failed=[FailedEventFactory.build(code="too_deep")])

    assert FailedEvent.objects.get().code == "too_deep"


def test_a_message_of_an_unknown_cio_id_alone_is_kept_with_the_reason():
    process([track(cio_id="nobodys", properties={"sku": "A1"}, trusted=True)])

    kept = FailedEvent.objects.get()
    assert (kept.code, kept.source, kept.trusted) == ("unknown_cio_id", "shop", True)
    assert '"sku": "A1"' in kept.payload


def test_what_failed_is_kept_if_and_only_if_the_messages_are():
    with transaction.atomic():
        process([page(id="u")], failed=[FailedEventFactory.build()])
        transaction.set_rollback(True)

    assert not FailedEvent.objects.exists()
    assert not Activity.objects.exists()


# The caller's transaction


def test_messages_are_kept_if_the_callers_transaction_commits():
    said = identify(id="u")

    with transaction.atomic():
        process([said])

    assert owner(said) == "u"


def test_nothing_is_left_if_the_callers_transaction_rolls_back():
    with transaction.atomic():
        process([identify(id="u", email="e@x.org", anonymous_id="X")])
        transaction.set_rollback(True)

    assert not Identifier.objects.exists()
    assert not Person.objects.exists()


# Signals


@pytest.mark.django_db(transaction=True)
def test_what_happened_is_told_once_and_after_commit(heard):
    said = identify(id="u")

    with transaction.atomic():
        process([said, said])
        assert heard == []

    assert [sender for sender, _ in heard] == [Activity, Person]
    assert heard[0][1]["activity"].pk == said.key
    assert heard[1][1]["person"].user_id == "u"
    assert heard[1][1]["activity_id"] == said.key
    process([said])
    assert len(heard) == 2


@pytest.mark.django_db(transaction=True)
def test_what_was_rolled_back_is_never_told(heard):
    with transaction.atomic():
        process([identify(id="u")])
        transaction.set_rollback(True)

    assert heard == []


@pytest.mark.django_db(transaction=True)
def test_pages_and_visitors_without_a_person_identify_nobody(heard):
    process([page(id="u"), identify(anonymous_id="X", properties={"plan": "pro"})])

    assert [sender for sender, _ in heard] == [Activity, Activity]


@pytest.mark.django_db(transaction=True)
def test_a_receiver_that_fails_breaks_nothing(heard, caplog):
    def fail(sender, **said):
        raise ValueError

    activity_recorded.connect(fail)
    try:
        assert process([page(id="u")]) == [STORED]
    finally:
        activity_recorded.disconnect(fail)
    assert len(heard) == 1


# Cost


def queries_of(messages):
    with CaptureQueriesContext(connection) as queries:
        process(messages)
    return queries.captured_queries


WHO = [{"anonymous_id": "X"}, {"id": "u"}, {"email": "e@x.org"}]


@pytest.mark.parametrize("who", WHO, ids=str)
@pytest.mark.usefixtures("of_now")
def test_twenty_pages_ask_as_often_as_one(who):
    process([page(**who)])

    one, twenty = queries_of([page(**who)]), queries_of([page(**who) for _ in range(20)])

    assert len(one) == len(twenty) <= 5


@pytest.mark.parametrize("who", WHO, ids=str)
def test_twenty_late_pages_ask_as_often_as_one(who):
    process([page(**who)])

    one, twenty = queries_of([page(**who)]), queries_of([page(**who) for _ in range(20)])

    assert len(one) == len(twenty) <= 10


@pytest.mark.usefixtures("of_now")
def test_twenty_pages_of_new_visitors_ask_as_often_as_one():
    one = queries_of([page(anonymous_id="X")])
    twenty = queries_of([page(anonymous_id=f"X{number}") for number in range(20)])

    assert len(one) == len(twenty) <= 6


@pytest.mark.usefixtures("of_now")
def test_pages_and_events_take_no_lock():
    process([identify(id="u", email="e@x.org", anonymous_id="X")])

    asked = queries_of([page(id="u", at=9), track(email="e@x.org"), page(anonymous_id="X")])

    assert not [query for query in asked if "FOR UPDATE" in query["sql"].upper()]
    assert not [query for query in asked if "FOR NO KEY" in query["sql"].upper()]


@pytest.mark.server
def test_an_identify_locks():
    lock = {"postgresql": "FOR NO KEY UPDATE", "mysql": "FOR UPDATE"}[connection.vendor]

    asked = queries_of([identify(id="u", email="e@x.org", anonymous_id="X")])

    assert [query for query in asked if lock in query["sql"]]


COLUMNS = "type, name, properties, context, timestamp, received_at, source, trusted, message_id"
KEYS = {
    "sqlite": "printf('%%032x', n)",
    "postgresql": "lpad(to_hex(n), 32, '0')::uuid",
    "mysql": "lpad(hex(n), 32, '0')",
}


def did(anonymous_id, activities, first=1):
    """One anonymous visitor's activities, copied by the database."""
    said = page(anonymous_id=anonymous_id, at=0)
    process([said])
    with connection.cursor() as cursor:
        if connection.vendor == "mysql":
            cursor.execute("SET max_recursive_iterations = 1000000")
        cursor.execute(
            f"""INSERT INTO identity_tracking_activity (id, identifier_id, {COLUMNS})
            WITH RECURSIVE number(n) AS (SELECT %s UNION ALL SELECT n + 1 FROM number WHERE n < %s)
            SELECT {KEYS[connection.vendor]}, identifier_id, {COLUMNS}
            FROM number, identity_tracking_activity WHERE message_id = %s""",  # noqa: S608
            [first, first + activities - 2, said.message_id],
        )


def claims(anonymous_id):
    """What two people, one after the other, write and ask when they claim a browser."""
    who = {"anonymous_id": anonymous_id, "trusted": True}
    return [
        queries_of([identify(id=f"A-{anonymous_id}", at=100, **who)]),
        queries_of([identify(id=f"B-{anonymous_id}", at=200, **who)]),
    ]


def test_claiming_a_browser_of_100_000_activities_writes_as_little_as_one_of_10():
    did("few", 10)
    did("many", 100_000, first=100)

    few, many = claims("few"), claims("many")

    for asked_few, asked_many in zip(few, many, strict=True):
        assert len(asked_few) == len(asked_many)
        tables = [[sql.split()[:3] for sql in written(asked)] for asked in (asked_few, asked_many)]
        assert tables[0] == tables[1]
        assert not [
            sql for sql in written(asked_many) if "UPDATE" in sql and "activity" in sql[:40]
        ]
    assert person(id="A-many").activities.count() == 100_001
    assert owner(page_at_the_end("many")) == "B-many"


def page_at_the_end(anonymous_id):
    said = page(anonymous_id=anonymous_id, at=300)
    process([said])
    return said


# First and last seen


def test_being_seen_moves_last_seen_only_coarsely():
    process([page(id="u", at=0)])

    process([page(id="u", at=0.05)])
    assert person(id="u").last_seen == hour(0)

    process([page(id="u", at=0.5)])
    assert person(id="u").last_seen == hour(0.5)


def test_a_late_message_moves_a_visitor_s_first_seen_back():
    process([page(anonymous_id="X", at=5)])
    for at in (9, 7, 1, 3):
        process([page(anonymous_id="X", at=at)])

    assert Identifier.objects.get().created_at == hour(1)


def test_a_late_message_moves_first_seen_back():
    process([page(id="u", at=5), page(id="u", at=9)])
    process([page(id="u", at=1)])

    assert (person(id="u").first_seen, person(id="u").last_seen) == (hour(1), hour(9))


def test_what_a_person_did_on_a_shared_browser_moves_only_their_own():
    process([identify(id="A", anonymous_id="X", at=1), identify(id="B", anonymous_id="X", at=5)])

    process([page(anonymous_id="X", at=3), page(anonymous_id="X", at=9)])

    assert person(id="A").last_seen == hour(1)
    assert person(id="B").last_seen == hour(9)


def test_objects_are_made_on_their_first_mention():
    process([relate("acme", id="u", at=1), relate("acme", id="v", at=2)])

    assert person(id="u").relationships.get().object == person(id="v").relationships.get().object


def test_a_message_of_now_belongs_to_who_is_now():
    said = page(id="u", at=(timezone.now() - hour(0)) / timedelta(hours=1))

    process([said])

    assert owner(said) == "u"
