"""Many at once give what one after the other gives, and nobody is refused."""

from __future__ import annotations

import threading
from random import Random

import pytest
from django.db import connection, connections, transaction

from identity_tracking.ingest.process import process
from identity_tracking.messages import Outcome, microseconds
from identity_tracking.models import Activity, Person
from tests.comparing import as_message, assert_same, assert_sound
from tests.reference import Reference, Said
from tests.saying import hour, identify, page

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8  # SQLite has them queue: they get fewer messages there
IDS = ("u", "v", "w", "x", None)
EMAILS = ("a@x.org", "b@x.org", "c@x.org", None)
BROWSERS = ("X", "Y", "Z")
TYPES = ("identify", "identify", "page", "track", "alias", "relate")


def crowd(seed, number):
    """Messages about ten identifiers, all of them fought over."""
    random = Random(seed)  # noqa: S311
    return [one(random, index) for index in range(number)]


def one(random, index):
    type = random.choice(TYPES)
    trusted = random.random() < 0.4
    return Said(
        type=type,
        time=microseconds(hour(random.randrange(50))),
        message_id=f"m{index}",
        trusted=trusted,
        email_trusted=trusted and random.random() < 0.5,
        id=random.choice(IDS),
        email=random.choice(EMAILS),
        anonymous_id=random.choice(BROWSERS),
        previous=random.choice(BROWSERS) if type == "alias" else None,
        attributes=(("plan", index),) if type == "identify" else (),
        relations=((random.choice("ab"), index % 3 > 0, ()),) if type == "relate" else (),
    )


def all_at_once(shares):
    """Process each share in a thread of its own, in batches of one to three; return what failed."""
    start = threading.Barrier(len(shares))
    failed, stored = [], []

    def work(share):
        start.wait(10)
        messages = [as_message(said) for said in share]
        try:
            while messages:
                size = 1 + len(messages) % 3
                stored.extend(process(messages[:size]))
                messages = messages[size:]
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[share]) for share in shares]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return failed, stored


@pytest.mark.case("FAULT-08")
@pytest.mark.parametrize("seed", range(3))
def test_many_threads_give_what_the_rules_say(seed):
    messages = crowd(seed, 60 if connection.vendor == "sqlite" else 160)

    failed, _ = all_at_once([messages[first::THREADS] for first in range(THREADS)])

    assert failed == []
    assert_same(Reference(messages))
    assert_sound(Reference(messages))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.usefixtures("of_now")
def test_many_threads_that_lock_only_for_claims_give_what_the_rules_say(seed):
    messages = crowd(seed, 60 if connection.vendor == "sqlite" else 160)

    failed, _ = all_at_once([messages[first::THREADS] for first in range(THREADS)])

    assert failed == []
    assert_same(Reference(messages))


def test_a_message_sent_by_many_threads_is_stored_once():
    messages = crowd(99, 30)

    failed, outcomes = all_at_once([messages] * THREADS)

    assert failed == []
    assert outcomes.count(Outcome.STORED) == Activity.objects.count() == len(messages)
    assert_same(Reference(messages))


def test_visitors_who_claim_one_email_at_once_all_follow_it():
    def claims(thread):
        return Said(
            type="identify",
            time=microseconds(hour(thread)),
            message_id=f"m{thread}",
            email="a@x.org",
            anonymous_id=f"X{thread}",
        )

    moves = Said(
        type="identify", time=microseconds(hour(0)), message_id="moves", id="u", email="a@x.org"
    )
    messages = [moves, *(claims(thread) for thread in range(1, THREADS))]

    failed, _ = all_at_once([[said] for said in messages])

    assert failed == []
    assert_same(Reference(messages))


@pytest.mark.server
@pytest.mark.parametrize("claimed_first", [True, False])
def test_who_gets_a_history_is_seen_by_what_is_stored_meanwhile(claimed_first):
    process([page(anonymous_id="X", at=2)])
    late, claim = [page(anonymous_id="X", at=1)], [identify(id="u", anonymous_id="X", at=3)]
    done, other_done = threading.Event(), threading.Event()

    def work():
        with transaction.atomic():
            process(claim if claimed_first else late)
            done.set()
            other_done.wait(1)  # it comes only where nobody waits for this transaction
        connections.close_all()

    other = threading.Thread(target=work)
    other.start()
    assert done.wait(10)
    process(late if claimed_first else claim)
    other_done.set()
    other.join(10)

    assert Person.objects.get().first_seen == hour(1)
