"""What was kept long enough goes; what says who is who stays right."""

from __future__ import annotations

import threading
from uuid import uuid4

import pytest
from django.db import connections, transaction

from identity_tracking import merge
from identity_tracking.identifiers import Kind, Ref
from identity_tracking.ingest.process import process
from identity_tracking.messages import Type
from identity_tracking.models import (
    Activity,
    Claim,
    Conflict,
    Deed,
    FailedEvent,
    Identifier,
    ObjectRelationship,
    Ownership,
    Person,
)
from identity_tracking.privacy import retention
from identity_tracking.privacy.retention import Kept
from identity_tracking.privacy.suppression import suppress
from tests.factories import ActivityFactory, FailedEventFactory, IdentifierFactory
from tests.saying import alias, hour, identify, message, owner, page, person, relate, track
from tests.web import configure

pytestmark = pytest.mark.django_db

YEAR, TWO_YEARS, LATER = 24 * 366, 24 * 763, 24 * 800  # hours after which nobody's, people's goes


def prune(at=LATER, **options):
    """Prune at an hour; return what went."""
    went: dict[Kept, int] = {}
    for what, rows in retention.prune("default", now=hour(at), **options):
        went[what] = went.get(what, 0) + rows
    return went


def names():
    return sorted(Identifier.objects.values_list("value", flat=True))


def kept(*said):
    found = set(Activity.objects.values_list("pk", flat=True))
    return [one.key in found for one in said]


def test_a_visitor_who_never_came_back_goes_with_everything():
    process(
        [
            page(anonymous_id="X"),
            relate("acme", anonymous_id="X"),
            identify(anonymous_id="X", properties={"plan": "pro"}),
        ]
    )

    assert prune(YEAR) == {Kept.ANONYMOUS: 3, Kept.VISITORS: 1}
    assert names() == []
    assert not ObjectRelationship.objects.exists()


def test_what_is_younger_stays():
    process([page(anonymous_id="X"), page(id="u")])

    assert prune(24 * 364) == {}
    assert Activity.objects.count() == 2


def test_a_visitor_who_came_back_keeps_what_they_said_of_themselves():
    old, written, new = (
        track(anonymous_id="X"),
        relate("acme", anonymous_id="X"),
        page(anonymous_id="X", at=YEAR),
    )
    process([old, written, new])

    assert prune(YEAR) == {Kept.ANONYMOUS: 1}
    assert kept(old, written, new) == [False, True, True]
    assert ObjectRelationship.objects.count() == 1


def test_what_people_did_stays_longer_and_they_stay():
    said, did, seen = (
        identify(id="u", anonymous_id="X", properties={"plan": "pro"}),
        track(id="u"),
        page(anonymous_id="X"),
    )
    process([said, did, seen])

    assert prune(YEAR) == {}
    assert prune(TWO_YEARS) == {Kept.PEOPLE: 2, Kept.VISITORS: 1}
    assert kept(said, did, seen) == [True, False, False]
    assert person(id="u").attributes == {"plan": "pro"}
    assert names() == ["u"]
    assert not Claim.objects.exists()


def test_a_device_that_somebody_identified_on_lately_stays():
    process([identify(id="u", anonymous_id="X", at=at) for at in (0, TWO_YEARS - 1)])

    assert prune(TWO_YEARS) == {}
    assert Claim.objects.count() == 2


def test_a_device_that_wrote_something_stays_with_its_person():
    process([relate("acme", anonymous_id="X"), identify(id="u", anonymous_id="X")])

    prune(LATER)

    assert names() == ["X", "u"]
    assert person(id="u").relationships.get().object.object_id == "acme"


def test_between_two_people_it_is_nobodys_and_goes_sooner():
    before, between, after = (page(anonymous_id="X", at=at) for at in (1, 3, 5))
    process([identify(id=id, anonymous_id="X", at=at) for id, at in (("A", 2), ("B", 4))])
    process([before, between, after])

    assert prune(YEAR) == {Kept.ANONYMOUS: 1}
    assert kept(before, between, after) == [True, False, True]
    assert [owner(one) for one in (before, after)] == ["A", "B"]


def test_a_gap_that_a_merge_closed_is_a_persons():
    between = page(anonymous_id="X", at=3)
    process([identify(id=id, anonymous_id="X", at=at) for id, at in (("A", 2), ("B", 4))])
    process([between])
    merge(person(id="A"), person(id="B"))

    assert prune(YEAR) == {}
    assert kept(between) == [True]


def test_what_a_contested_browser_wrote_is_still_whose_it_was():
    process([identify(id=id, anonymous_id="X", at=at) for id, at in (("A", 2), ("B", 6))])
    process([relate(name, anonymous_id="X", at=at) for name, at in (("old", 1), ("new", 7))])
    process([page(anonymous_id="X", at=1)])

    prune(LATER)
    process([identify(id="C", anonymous_id="X", at=0.5)])

    def objects(id):
        return [one.object.object_id for one in person(id=id).relationships]

    assert [objects(id) for id in "ABC"] == [[], ["new"], []]
    process([relate("late", anonymous_id="X", at=2)])
    assert objects("A") == ["late"]


def test_a_browser_of_too_many_people_goes_with_its_claims_when_nobody_uses_it():
    process([identify(id=f"u{n}", anonymous_id="X", at=n) for n in range(6)])
    assert Conflict.objects.count() == 1

    assert prune(YEAR) == {Kept.VISITORS: 1}
    assert not Conflict.objects.exists()
    assert not Claim.objects.exists()
    assert Person.objects.count() == 6


def test_a_conflict_goes_with_its_message():
    refused = page(id="u", email="no email", anonymous_id="X")
    process([refused])
    assert Conflict.objects.get().activity_id == refused.key

    prune(LATER)

    assert not Conflict.objects.exists()


def test_aliases_links_and_forms_stay_as_long_as_the_person():
    said = [
        alias(id="u", previous="X"),
        message(Type.LINK, id="u", anonymous_id="Y"),
        message(Type.FORM, email="e@x.org", anonymous_id="Z"),
    ]
    process(said)

    prune(LATER)

    assert kept(*said) == [True] * 3


def test_what_was_deleted_is_known_for_a_month():
    Deed.objects.create(pk=uuid4(), done_at=hour(0))
    young = Deed.objects.create(pk=uuid4(), done_at=hour(24))

    assert prune(24 * 30 + 1) == {Kept.DEEDS: 1}
    assert Deed.objects.get() == young


def test_failed_events_go_after_a_month():
    old, young = FailedEventFactory(received_at=hour(0)), FailedEventFactory(received_at=hour(24))

    assert prune(24 * 30 + 1) == {Kept.FAILED: 1}
    assert FailedEvent.objects.get() == young != old


@pytest.mark.parametrize("name", ["RETAIN_ANONYMOUS", "RETAIN_PEOPLE", "RETAIN_FAILED"])
def test_none_keeps_for_ever(settings, name):
    everything()
    configure(settings, RETAIN_ANONYMOUS=None, RETAIN_PEOPLE=None, RETAIN_FAILED=None)
    assert prune() == {}

    configure(settings, **{name: 1})

    assert prune() != {}


def everything():
    process([page(anonymous_id="X"), track(id="u"), identify(id="u", anonymous_id="Y")])
    FailedEventFactory(received_at=hour(0))


def test_a_dry_run_counts_and_deletes_nothing():
    everything()

    assert prune(dry_run=True) == {
        Kept.FAILED: 1,
        Kept.ANONYMOUS: 1,
        Kept.VISITORS: 2,
        Kept.PEOPLE: 1,
    }
    assert Activity.objects.count() == 3
    assert names() == ["X", "Y", "u"]


@pytest.mark.parametrize("size", [1, 2, 1_000])
def test_small_steps_come_to_the_same(monkeypatch, size):
    monkeypatch.setattr(retention, "BATCH", size)
    monkeypatch.setattr(retention, "VISITORS", size)
    process([page(anonymous_id=f"X{n % 5}", at=n) for n in range(20)])
    process([page(id=f"u{n % 2}", at=n // 2) for n in range(10)])

    assert prune() == {Kept.ANONYMOUS: 20, Kept.VISITORS: 5, Kept.PEOPLE: 10}
    assert names() == ["u0", "u1"]


def test_a_limit_is_kept_and_the_next_run_goes_on():
    process([page(anonymous_id=f"X{n % 5}", at=n) for n in range(20)])

    runs = [sum(prune(limit=9).values()) for _ in range(4)]

    assert runs == [9, 9, 7, 0]
    assert names() == []


def test_a_run_that_was_stopped_goes_on():
    process([page(anonymous_id=f"X{n}") for n in range(3)])
    steps = retention.prune("default", now=hour(LATER), limit=1)
    assert next(steps).rows == 1
    steps.close()

    assert prune() == {Kept.ANONYMOUS: 2, Kept.VISITORS: 3}


def test_what_was_stored_under_a_deleted_identifier_goes():
    lost = ActivityFactory(timestamp=hour(1), received_at=hour(1))
    Identifier.objects.filter(pk=lost.identifier_id)._raw_delete("default")

    assert prune(2) == {Kept.LOST: 1}
    assert not Activity.objects.exists()


@pytest.mark.parametrize("dry_run", [True, False])
def test_who_was_erased_and_made_again_goes(settings, dry_run):
    process([identify(id="u", anonymous_id="X"), page(id="v", at=1)])
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    suppress([Ref(Kind.ID, "u").key, Ref(Kind.ANONYMOUS_ID, "X").key], "default")

    assert prune(2, dry_run=dry_run) == {Kept.REFUSED: 2}
    assert names() == (["X", "u", "v"] if dry_run else ["v"])
    assert Activity.objects.count() == (2 if dry_run else 1)


def test_a_late_claim_of_a_visitor_that_went_makes_them_anew():
    process([page(anonymous_id="X")])
    prune(LATER)

    process([identify(id="u", anonymous_id="X", at=LATER)])

    assert person(anonymous_id="X").user_id == "u"


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
def test_a_visitor_who_comes_back_meanwhile_is_brought_back():
    process([page(anonymous_id="X")])
    stored, may_end = threading.Event(), threading.Event()
    back = page(anonymous_id="X", at=LATER)

    def come_back():
        try:
            with transaction.atomic():
                process([back])
                stored.set()
                may_end.wait(20)
        finally:
            connections.close_all()

    visitor = threading.Thread(target=come_back)
    visitor.start()
    assert stored.wait(20)
    steps = retention.prune("default", now=hour(LATER))
    went = [next(steps).what, next(steps).what]
    may_end.set()
    visitor.join(20)
    went += [step.what for step in steps]

    assert went == [Kept.ANONYMOUS, Kept.VISITORS]
    assert kept(back) == [True]
    assert names() == ["X"]
    assert not Ownership.objects.exists()


def test_only_what_nobody_uses_is_dropped_under_its_lock():
    used = IdentifierFactory(created_at=hour(0))
    ActivityFactory(identifier=used, type="identify", timestamp=hour(0), received_at=hour(0))
    pruning = retention._Pruning("default", hour(LATER), None, dry_run=False)

    assert not pruning.dropped_of([used.pk])
    assert Identifier.objects.filter(pk=used.pk).exists()
