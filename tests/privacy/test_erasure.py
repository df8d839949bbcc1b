"""After an erasure no byte of the database holds what somebody was called, or said."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import OperationalError, connection, connections, transaction
from django.test.utils import modify_settings

from identity_tracking import delete, erase, merge, shortcuts
from identity_tracking.exceptions import SuppressionKeyMissing
from identity_tracking.identifiers import Kind, Ref
from identity_tracking.identity.deletion import Deleted
from identity_tracking.ingest.process import process
from identity_tracking.messages import Outcome, Relation, Type, object_ref
from identity_tracking.models import (
    Activity,
    Claim,
    Conflict,
    FailedEvent,
    Identifier,
    MergeOperation,
    Ownership,
    Person,
    Suppression,
    TrackedObject,
)
from identity_tracking.privacy import erasure, mentions
from identity_tracking.signals import person_deleted, person_erased
from tests.factories import ConflictFactory, FailedEventFactory
from tests.saying import identify, message, owners, page, person, relate, track
from tests.web import Browser, configure

pytestmark = pytest.mark.django_db(transaction=True)

SECRETS = (
    "ada-7301",
    "ada@lovelace.example",
    "b5e0c1d2-browser",
    "c6f1d2e3-browser",
    "Countess",
    "Analytical-Engine",
    "/private-page",
)


@pytest.fixture(autouse=True)
def _key(settings):
    configure(settings, SUPPRESSION_KEY="a key of the tests")


@pytest.fixture
def ada():
    """Ada, with one of each thing that may hold what she is called; and Bob, who is not she."""
    identifier, email, browser, phone = SECRETS[:4]
    process(
        [
            page(anonymous_id=browser, at=1, name="/private-page"),
            identify(email=email, anonymous_id=browser, at=2, properties={"title": "Countess"}),
            identify(id=identifier, email=email, anonymous_id=phone, trusted=True, at=3),
            identify(id=identifier, at=4, properties={"title": "Miss Analytical-Engine"}),
            relate("acme", id=identifier, role="Analytical-Engine", at=4),
            track(id=identifier, at=5, properties={"for": "Countess"}),
            relate(email, id=identifier, at=4),
            group({"owner": email, "plan": "pro"}, id=identifier, at=4),
            group({"city": "Bern"}, id="bob", at=5),
            identify(id="bob", anonymous_id="bobs", trusted=True, at=1),
            identify(id="bob", email=email, at=6),
            page(id="bob", at=7),
        ]
    )
    said = group({"contact": f"ask {email.upper()}"}, id="nobody", at=6).description
    process([], described=[said])
    ada = person(id=identifier)
    merge(ada, person(id="bob"), reason=f"{email} is bob").undo()
    FailedEventFactory(payload=json.dumps({"data": {"text": f"from {email.upper()}"}}))
    FailedEventFactory(payload='{"id": "bob"}')
    LogEntry.objects.create(
        user=_staff(),
        content_type=ContentType.objects.get_for_model(Person),
        object_id=str(ada.pk),
        object_repr="Countess",
        change_message=f"merged {email}",
        action_flag=CHANGE,
    )
    Browser(cioid="bob", cioanonid="bobs").open(f"/?_cio_id={ada.cio_id}")
    return ada


def group(traits, **rest):
    relations = (Relation(object=object_ref("company", "acme")),)
    return message(Type.GROUP, properties=traits, relations=relations, **rest)


def everything():
    """Every byte that the database holds."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(connection.settings_dict["NAME"]).read_bytes()
    with connection.cursor() as cursor:
        tables = [
            connection.ops.quote_name(name) for name in connection.introspection.table_names()
        ]
        rows = [row for table in tables for row in _rows(cursor, table)]
    return "\n".join(map(str, rows)).encode()


def _rows(cursor, table):
    cursor.execute(f"SELECT * FROM {table}")  # noqa: S608
    return cursor.fetchall()


def hits(secrets):
    found = everything().lower()
    return [one for one in secrets if one.lower().encode() in found]


def keys():
    """The primary keys of what Ada is called, in each way that a database writes them."""
    theirs = Identifier.objects.filter(value__in=SECRETS)
    return [way for one in theirs for way in (str(one.pk), one.pk.hex)]


@pytest.mark.case("PRIV-05", "PRIV-12")
def test_no_byte_of_them_is_left(ada):
    secrets = [*SECRETS, ada.cio_id, *keys()]
    assert len(secrets) == 16
    assert hits(SECRETS) == list(SECRETS)

    erase(ada)

    assert hits(secrets) == []


def test_what_others_did_is_left(ada):
    before = Activity.objects.of(person(id="bob")).count()

    erase(ada)

    assert Activity.objects.of(person(id="bob")).count() == before > 0
    assert person(anonymous_id="bobs").user_id == "bob"
    assert [event.payload for event in FailedEvent.objects.all()] == ['{"id": "bob"}']
    assert LogEntry.objects.get().user.username == "staff"


def test_an_object_keeps_what_does_not_mention_them(ada):
    erase(ada)

    acme = TrackedObject.objects.get()
    assert acme.attributes == {"plan": "pro", "city": "Bern"}
    assert acme.relationships.get().identifier.value == "bob"


@pytest.mark.case("PRIV-04")
def test_every_way_back_is_refused(ada):
    erase(ada)

    outcomes = process(
        [
            identify(email=SECRETS[1].upper()),
            page(id=SECRETS[0]),
            page(anonymous_id=SECRETS[2]),
            identify(id="bob", anonymous_id=SECRETS[3]),
            track(cio_id=ada.cio_id),
        ]
    )

    assert outcomes == [Outcome.SUPPRESSED] * 5
    assert hits(SECRETS) == []


def test_a_reason_that_names_them_is_emptied(ada):
    merge(person(id="bob"), identified("c"), reason=f"not {SECRETS[1]}")
    merge(person(id="bob"), identified("d"), reason="same human")
    claim = Claim.objects.get(weak__value="bobs")
    claim.void(reason=f"it was {SECRETS[0]}")
    noted = ConflictFactory(identifier=person(id="bob").anchor)
    Conflict.objects.filter(pk=noted.pk).settle(by="7", note=f"asked {SECRETS[1].upper()}")

    erase(ada)

    assert {one.reason for one in MergeOperation.objects.all()} == {"", "same human"}
    assert Claim.objects.get(pk=claim.pk).voided_for == ""
    assert Conflict.objects.get(pk=noted.pk).note == ""


def identified(id):
    return shortcuts.identify(None, id=id)


def test_a_short_id_is_looked_for_only_where_it_names_somebody():
    process([page(id="42")])
    FailedEventFactory(payload='{"id": 42, "name": "a"}')
    FailedEventFactory(payload='{"id": "b", "name": "42 things"}')

    erase(person(id="42"))

    assert [json.loads(one.payload)["id"] for one in FailedEvent.objects.all()] == ["b"]


def test_a_short_browser_alone_is_mentioned_nowhere_else():
    FailedEventFactory(payload='{"name": "of somebody else"}')
    ref = Ref(Kind.ANONYMOUS_ID, "X1")

    with transaction.atomic():
        mentions.forget(Deleted(identifiers=(ref,)), "default")

    assert FailedEvent.objects.count() == 1


@pytest.mark.parametrize("trusted", [True, False])
@pytest.mark.parametrize(("gone", "other"), ["uv", "vu"])
def test_an_email_that_another_uses_stays_theirs(gone, other, trusted):
    email = "shared@x.org"
    said = [identify(id=id, email=email, trusted=trusted, at=at) for at, id in enumerate("uv")]
    process(said)

    erase(person(id=gone))

    assert person(id=other).email == email
    assert process([page(email=email, at=3), page(id=gone, at=3)]) == [
        Outcome.STORED,
        Outcome.SUPPRESSED,
    ]
    assert person(email=email).user_id == other


def test_an_email_that_another_only_claims_goes_with_its_person():
    email = "ada@x.org"
    process([identify(id="u", email=email, trusted=True), identify(id="v", email=email, at=1)])

    erase(person(id="u"))

    assert person(id="v").email is None
    assert process([page(email=email, at=3)]) == [Outcome.SUPPRESSED]


def test_on_a_shared_browser_the_others_stretch_stays():
    mine, theirs = page(anonymous_id="X", at=1), page(anonymous_id="X", at=9)
    process([identify(id=id, anonymous_id="X", at=at) for id, at in (("A", 2), ("B", 8))])
    process([mine, theirs])

    erase(person(id="A"))

    assert owners(theirs) == ["B"]
    assert not Activity.objects.filter(pk=mine.key).exists() or owners(mine) == ["B"]
    assert process([page(anonymous_id="X", at=10)]) == [Outcome.STORED]


def test_nobody_is_erased_without_a_key(settings, ada):
    configure(settings, SUPPRESSION_KEY="", API_KEY="")

    with pytest.raises(SuppressionKeyMissing) as refused:
        erase(ada)

    assert refused.value.code == "suppression_key_missing"
    assert person(id=SECRETS[0]) == ada


def test_until_there_is_a_key_of_its_own_that_of_the_apis_takes_its_place(settings, ada):
    configure(settings, SUPPRESSION_KEY="", API_KEY="a" * 100)
    erase(ada)
    assert process([page(id=SECRETS[0])]) == [Outcome.SUPPRESSED]

    configure(settings, SUPPRESSION_KEY="a" * 100, API_KEY="another")
    assert process([page(id=SECRETS[0])]) == [Outcome.SUPPRESSED]


def test_erasing_twice_changes_nothing_and_tells_once(ada, told):
    erase(ada)
    erase(ada)

    assert told == [("erased", ada.cio_id)]
    assert Suppression.objects.count() == 4 + 2


def test_a_deleted_person_may_come_back(ada, told):
    delete(ada, by="staff")

    assert told == [("deleted", ada.cio_id)]
    assert not Person.objects.filter(user_id=SECRETS[0]).exists()
    assert process([identify(id=SECRETS[0])]) == [Outcome.STORED]
    assert person(id=SECRETS[0]).attributes == {}


def test_deleting_twice_tells_once(ada, told):
    delete(ada)
    delete(ada)

    assert len(told) == 1


def test_they_go_with_the_callers_transaction(ada, told):
    with transaction.atomic():
        erase(ada)
        transaction.set_rollback(True)

    assert person(id=SECRETS[0]) == ada
    assert told == []


@pytest.fixture
def told():
    """What signals told."""
    heard = []

    def hear_deleted(*, cio_id, **kwargs):
        heard.append(("deleted", cio_id))

    def hear_erased(*, cio_id, **kwargs):
        heard.append(("erased", cio_id))

    person_deleted.connect(hear_deleted)
    person_erased.connect(hear_erased)
    yield heard
    person_deleted.disconnect(hear_deleted)
    person_erased.disconnect(hear_erased)


class Writer(threading.Thread):
    """Stores messages in one transaction, which ends when it is let."""

    def __init__(self, *messages):
        super().__init__()
        self.messages = messages
        self.has_written, self.may_end = threading.Event(), threading.Event()

    def run(self):
        try:
            with transaction.atomic():
                self.outcomes = process(self.messages)
                self.has_written.set()
                self.may_end.wait(20)
        finally:
            connections.close_all()


@pytest.fixture
def slow_writer():
    """Start a transaction that stores messages; ``let_go`` has it end as soon as somebody waits."""
    started = []

    def start(*messages):
        writer = Writer(*messages)
        writer.start()
        started.append(writer)
        assert writer.has_written.wait(20)
        return writer

    yield start
    for writer in started:
        writer.may_end.set()
        writer.join(20)


def end_when_awaited(writer):
    """Let ``writer`` end when another transaction waits, for the table or what is in it."""

    def watch():
        try:
            while not _is_awaited():
                writer.may_end.wait(0.15)
            writer.may_end.set()
        finally:
            connections.close_all()

    watcher = threading.Thread(target=watch)
    watcher.start()
    return watcher


def _is_awaited():
    """Whether anybody waits. MariaDB knows no better than when it was asked 0.1 seconds ago."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT count(*) FROM pg_locks WHERE mode = 'ShareLock' AND NOT granted")
        else:
            cursor.execute(
                "SELECT count(*) FROM information_schema.processlist"
                " WHERE state LIKE 'Waiting for table metadata lock%'"
                " OR id IN (SELECT trx_mysql_thread_id FROM information_schema.innodb_trx"
                " WHERE trx_state = 'LOCK WAIT')"
            )
        return cursor.fetchone()[0]


@pytest.mark.server
@pytest.mark.parametrize("way", [delete, erase])
def test_a_page_view_stored_meanwhile_goes_too(way, ada, slow_writer):
    late = page(anonymous_id=SECRETS[2], name="/late")
    writer = slow_writer(late)
    watcher = end_when_awaited(writer)

    way(ada)
    watcher.join(20)
    writer.join(20)

    assert writer.outcomes == [Outcome.STORED]
    assert not Activity.objects.filter(pk=late.key).exists()
    assert not Identifier.objects.filter(value=SECRETS[2]).exists()


@pytest.mark.server
def test_a_browser_claimed_meanwhile_is_erased_too(ada, slow_writer):
    late = identify(id=SECRETS[0], anonymous_id="another-browser")
    writer = slow_writer(late)
    watcher = end_when_awaited(writer)

    erase(ada)
    watcher.join(20)
    writer.join(20)

    assert writer.outcomes == [Outcome.STORED]
    assert not Activity.objects.filter(pk=late.key).exists()
    assert hits([*SECRETS, "another-browser"]) == []
    assert process([page(anonymous_id="another-browser")]) == [Outcome.SUPPRESSED]


@pytest.mark.case("FAULT-09")
@pytest.mark.server
@pytest.mark.parametrize(
    ("way", "outcome"), [(delete, Outcome.STORED), (erase, Outcome.SUPPRESSED)]
)
@pytest.mark.parametrize(
    "late",
    [
        identify(id=SECRETS[0], at=9, properties={"late": True}),
        identify(id=SECRETS[0], email=SECRETS[1], at=9, trusted=True),
        identify(id=SECRETS[0], anonymous_id="bobs", at=9),
    ],
    ids=["attributes", "email", "browser"],
)
def test_an_identify_that_had_to_wait_meets_nobody(ada, way, outcome, late):
    writer = Writer(late)
    writer.may_end.set()

    with transaction.atomic():
        way(ada)
        writer.start()
        while not _is_awaited():
            assert not writer.has_written.wait(0.15)
    writer.join(20)

    assert writer.outcomes == [outcome]
    assert Person.objects.filter(anchor__value=SECRETS[0]).exists() is (way is delete)
    assert person(anonymous_id="bobs") is not None


def test_what_meets_a_deadlock_after_the_commit_is_done_again():
    tried: list[int] = []

    def deadlock():
        tried.append(len(tried))
        if len(tried) < 3:
            raise OperationalError

    erasure._in_transaction(deadlock, "default")

    assert tried == [0, 1, 2]


def test_what_always_fails_is_raised():
    tried = []

    def deadlock():
        tried.append(1)
        raise OperationalError

    with pytest.raises(OperationalError):
        erasure._in_transaction(deadlock, "default")
    assert len(tried) == erasure.ATTEMPTS


def test_a_site_without_the_admin_has_no_log_to_clear(ada):
    with modify_settings(INSTALLED_APPS={"remove": "django.contrib.admin"}):
        erase(ada)

    assert not Person.objects.filter(pk=ada.pk).exists()


@pytest.mark.case("FAULT-09")
def test_a_crowd_of_writers_leaves_nothing_of_them():
    in_a_crowd(erase)

    assert {
        model.__name__
        for model in (Activity, Identifier, Person, Ownership, Claim, Conflict)
        if model.objects.exists()
    } == set()


def test_a_crowd_of_writers_brings_back_only_whole_people():
    in_a_crowd(delete)

    for model, names in (
        (Activity, ("identifier",)),
        (Person, ("anchor",)),
        (Ownership, ("identifier", "person")),
        (Claim, ("weak", "target")),
    ):
        for name in names:
            keys = model.objects.values_list(name, flat=True)
            assert set(keys) <= set(Identifier.objects.values_list("pk", flat=True))


def in_a_crowd(way):
    """Have several write as somebody who is deleted meanwhile, with ever new browsers."""
    process([identify(id="u", email="e@x.org", anonymous_id="X", trusted=True, at=1)])
    somebody, start = person(id="u"), threading.Barrier(5)
    failed = []

    def write(number):
        try:
            start.wait(20)
            for at in range(5 if connection.vendor == "sqlite" else 20):
                process([page(anonymous_id="X", at=at), track(id="u", at=at)])
                browser = f"Y{number}-{at}"
                process([identify(id="u", anonymous_id=browser, at=at, properties={"n": at})])
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=write, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    start.wait(20)
    way(somebody)
    for thread in threads:
        thread.join(120)
    assert [(error, error.__cause__) for error in failed] == []


def _staff():
    return apps.get_model(settings.AUTH_USER_MODEL).objects.create(username="staff")
