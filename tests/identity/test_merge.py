from __future__ import annotations

import threading
from functools import partial
from random import Random

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, connections, transaction
from django.forms.models import model_to_dict
from django.test.utils import CaptureQueriesContext

from identity_tracking import delete, merge
from identity_tracking.exceptions import MergeRefused
from identity_tracking.identity import merge as merging
from identity_tracking.identity.components import component_of
from identity_tracking.identity.rows import Vanished
from identity_tracking.ingest.process import process
from identity_tracking.messages import microseconds
from identity_tracking.models import (
    Activity,
    Identifier,
    MergeOperation,
    ObjectRelationship,
    Ownership,
    Person,
)
from identity_tracking.signals import merge_undone, people_merged
from tests.comparing import anchored, as_message, assert_same, assert_sound
from tests.factories import ActivityFactory
from tests.identity.test_threads import crowd
from tests.reference import Operation, Reference
from tests.saying import alias, called, hour, identify, owners, page, person, relate

pytestmark = pytest.mark.django_db

E = "e@x.org"


def merged(primary, secondary, *, at=5.0):
    """Merge two at an hour."""
    with transaction.atomic():
        return merging.merge(
            primary, secondary, at=hour(at), by="ada", reason="same human", using="default"
        )


def two_people():
    process(
        [
            identify(id="A", email="a@x.org", properties={"plan": "pro"}, at=2),
            page(id="A", at=3),
            identify(id="B", email="b@x.org", anonymous_id="X", properties={"city": "Bern"}, at=1),
            page(anonymous_id="X", at=4),
            relate("acme", id="B", role="admin", at=4),
        ]
    )
    return person(id="A"), person(id="B")


def everything():
    """All that is kept of people, but for the operations themselves."""
    people = {row.pk: (row.cio_id, row.root_id, model_to_dict(row)) for row in Person.objects.all()}
    relationships = ObjectRelationship.objects.values_list("identifier", "object", "attributes")
    ownership = Ownership.objects.values_list("identifier", "since", "until", "person", "after")
    return people, sorted(relationships, key=str), sorted(ownership, key=str)


# Merge


def test_two_known_people_become_one():
    a, b = two_people()

    merge(a, b)

    assert called(person(id="B")) == "A"
    assert list(Person.objects.standing()) == [a]
    assert a.activities.count() == 5
    assert set(owners_of_all()) == {"A"}


def owners_of_all():
    return [called(activity.person) for activity in Activity.objects.with_person()]


def test_who_is_merged_keeps_what_they_had_and_inherits_what_they_lacked():
    a, b = two_people()

    merge(a, b)

    assert person(id="A").attributes == {"plan": "pro", "city": "Bern"}
    assert [row.attributes for row in person(id="A").relationships] == [{"role": "admin"}]
    assert person(id="A").email == "a@x.org"


def test_who_is_merged_was_seen_whenever_either_was():
    a, b = two_people()

    merge(a, b)

    assert (person(id="A").first_seen, person(id="A").last_seen) == (hour(1), hour(4))


def test_every_old_identifier_keeps_resolving():
    a, b = two_people()

    merge(a, b)

    assert {person(id="B"), person(email="b@x.org"), person(cio_id=b.cio_id)} == {a}
    assert person(anonymous_id="X") == a


def test_a_cio_id_of_who_was_merged_names_who_they_became(arrive):
    a, b = two_people()
    merged(a, b)
    said = identify(cio_id=b.cio_id, properties={"shoe": 42}, at=6)

    arrive(said)

    assert owners(said) == ["A"]
    assert person(id="A").attributes["shoe"] == 42


def test_a_lead_shows_the_id_that_a_merge_brings():
    process([identify(email=E, at=1), identify(id="u", at=1)])

    operation = merge(person(email=E), person(id="u"))

    assert (person(id="u").user_id, person(id="u").email) == ("u", E)
    assert person(id="u") == person(email=E)
    operation.undo()
    assert person(email=E).user_id is None


def test_the_primarys_email_is_shown_even_if_the_secondary_calls_later(arrive):
    a, b = two_people()
    merged(a, b)

    arrive(identify(id="B", email="b2@x.org", trusted=True, at=9))

    assert person(id="B").email == "a@x.org"
    assert person(email="b2@x.org") == a


def test_an_email_is_inherited_by_who_has_none():
    process([identify(id="A", at=1), identify(id="B", email=E, at=1)])

    merge(person(id="A"), person(id="B"))

    assert person(id="A").email == E


def test_messages_after_a_merge_count_as_the_ones(arrive):
    a, b = two_people()
    merged(a, b)
    late, new = page(id="B", at=1), identify(id="B", properties={"plan": "free"}, at=7)

    arrive(late, new)

    assert owners(late, new) == ["A", "A"]
    assert person(id="A").attributes["plan"] == "free"


def test_a_late_message_from_before_a_merge_only_fills(arrive):
    a, b = two_people()
    merged(a, b)

    arrive(identify(id="B", properties={"plan": "free", "shoe": 42}, at=4))

    assert person(id="A").attributes == {"plan": "pro", "city": "Bern", "shoe": 42}


def test_nothing_unproven_after_a_merge_overrides_what_was_proven_before(arrive):
    process([identify(id="A", at=1), identify(id="B", properties={"plan": "pro"}, trusted=True)])
    merged(person(id="A"), person(id="B"))

    arrive(identify(id="A", properties={"plan": "free"}, at=7))

    assert person(id="A").attributes == {"plan": "pro"}
    assert person(id="A").claimed["plan"]["value"] == "free"


def test_nobody_is_merged_with_themselves():
    process([identify(id="A", at=1)])

    with pytest.raises(MergeRefused) as refused:
        merge(person(id="A"), person(id="A"))

    assert refused.value.code == "same_person"
    assert not MergeOperation.objects.exists()


@pytest.mark.parametrize("gone", ["A", "B"])
def test_who_was_deleted_is_merged_with_nobody(gone):
    a, b = two_people()
    delete(person(id=gone))

    with pytest.raises(MergeRefused) as refused:
        merge(a, b)

    assert refused.value.code == "deleted"
    assert not MergeOperation.objects.exists()


def test_who_vanishes_while_they_are_merged_is_looked_for_once_more():
    a, b = two_people()
    Person.objects.filter(pk=b.pk).delete()
    MergeOperation.objects.create(primary_id=a.pk, secondary_id=b.pk, at=hour(5))

    with pytest.raises(Vanished):
        component_of({a.pk}, "default")


def test_a_merge_of_two_rows_of_one_person_changes_nothing():
    process([identify(email=E, at=1), identify(id="u", email=E, at=2)])
    before = everything()

    operation = merge(Person.objects.get(anchor__value=E), person(id="u"))

    assert everything() == before
    operation.undo()
    assert everything() == before


def test_a_merge_says_who_did_it_and_why():
    a, b = two_people()
    staff = get_user_model().objects.create_user("ada")

    operation = merge(a, b, by=staff, reason="same human" + "!" * 300)
    operation.undo(by="bob")

    kept = MergeOperation.objects.get(pk=operation.pk)
    assert (kept.by, kept.undone_by) == (str(staff.pk), "bob")
    assert kept.reason.startswith("same human!")
    assert str(kept) == f"{b.pk} → {a.pk}"


# Undo


def test_undo_restores_both_exactly():
    a, b = two_people()
    before = everything()

    operation = merge(a, b)
    assert everything() != before
    operation.undo()

    assert everything() == before


def test_undo_restores_a_lead_that_did_nothing_yet():
    process([identify(email=E, at=1, trusted=True)])
    process([identify(id="u", email="c@x.org", at=2), identify(id="v", email="c@x.org", at=9)])
    process([identify(id="w", email="d@x.org", at=3)])
    process([identify(email="d@x.org", at=8, trusted=True)])
    before = everything()

    operation = merge(person(email="d@x.org"), person(email=E))
    operation.undo()

    assert everything() == before


def test_undo_restores_a_person_whose_only_message_is_not_theirs():
    process([identify(email=E, at=9, trusted=True)])
    process([identify(id="v", email="d@x.org", at=1), identify(id="w", at=1)])
    Activity.objects.filter(identifier__value=E).delete()
    before = everything()

    operation = merge(person(email=E), person(id="v"))
    assert person(email=E).first_seen == hour(1)
    operation.undo()

    assert everything() == before


def test_what_came_after_a_merge_is_whose_it_says_once_it_is_undone(arrive):
    a, b = two_people()
    operation = merged(a, b)
    said = identify(id="B", properties={"plan": "free"}, at=7)
    arrive(said)

    operation.undo()

    assert owners(said) == ["B"]
    assert person(id="A").attributes == {"plan": "pro"}
    assert person(id="B").attributes == {"plan": "free", "city": "Bern"}
    assert person(id="B").last_seen == hour(7)


def test_undoing_twice_is_undoing_once(django_capture_on_commit_callbacks):
    a, b = two_people()
    operation = merge(a, b)
    again = MergeOperation.objects.get(pk=operation.pk)
    operation.undo(by="ada")
    before = everything()

    with django_capture_on_commit_callbacks() as told:
        again.undo(by="bob")
        operation.undo(by="bob")

    assert (everything(), told) == (before, [])
    assert MergeOperation.objects.get().undone_by == "ada"


def test_who_was_parted_can_be_merged_again_the_other_way():
    a, b = two_people()
    merge(a, b).undo()

    merge(b, a)

    assert called(person(id="A")) == "B"


def test_a_merge_that_closes_a_circle_counts_once_the_circle_is_open():
    process([identify(id=id, at=1) for id in "ABC"])
    a, b, c = (person(id=id) for id in "ABC")
    first, second = merged(a, b, at=2), merged(b, c, at=3)
    before = everything()

    third = merged(c, a, at=4)
    assert everything() == before

    first.undo()
    assert {called(person(id=id)) for id in "ABC"} == {"B"}
    second.undo()
    assert [called(person(id=id)) for id in "ABC"] == ["C", "B", "C"]
    third.undo()
    assert [called(person(id=id)) for id in "ABC"] == ["A", "B", "C"]


def test_a_merge_of_a_lead_means_whose_its_email_is():
    process([identify(email=E, at=1), identify(id="A", at=1)])
    operation = merged(person(id="A"), person(email=E))

    process([identify(id="u", email=E, at=9, trusted=True), page(id="u", at=0)])

    assert called(person(id="u")) == "A"
    assert person(id="A").first_seen == hour(0)
    operation.undo()
    assert called(person(email=E)) == "u"


def test_an_unproven_claim_on_a_merged_lead_joins_no_two_ids():
    process([identify(email=E, at=1), identify(id="A", at=1)])
    merged(person(id="A"), person(email=E))

    process([identify(id="u", email=E, at=9)])

    assert called(person(id="A")) == "A"
    assert called(person(email=E)) == "u"


def test_a_proof_of_the_same_claim_does():
    process([identify(email=E, at=1), identify(id="A", at=1)])
    merged(person(id="A"), person(email=E))

    process([identify(id="u", email=E, at=9), identify(id="u", email=E, at=9, trusted=True)])

    assert called(person(id="u")) == "A"


def test_a_lead_brings_whom_it_was_merged_with_to_the_id_it_becomes():
    process([identify(email=E, at=1), identify(email="other@x.org", at=1)])
    merged(person(email=E), person(email="other@x.org"))

    process([identify(id="u", email=E, at=9)])

    assert called(person(email="other@x.org")) == "u"


# A browser that both used


def shared_browser():
    seen = page(anonymous_id="X", at=3)
    process(
        [
            identify(id="A", anonymous_id="X", at=1),
            seen,
            relate("acme", anonymous_id="X", role="admin", at=3),
            identify(anonymous_id="X", properties={"city": "Bern"}, at=3),
            identify(id="B", anonymous_id="X", at=5),
        ]
    )
    return seen


def holders():
    return [row.identifier.value for row in ObjectRelationship.objects.all()]


def test_a_gap_between_two_who_are_merged_is_theirs_until_they_are_parted():
    seen = shared_browser()
    before = everything()
    assert (owners(seen), holders()) == ([None], ["X"])

    operation = merge(person(id="B"), person(id="A"))
    assert (owners(seen), holders()) == (["B"], ["B"])
    assert person(id="B").attributes == {"city": "Bern"}

    operation.undo()
    assert owners(seen) == [None]
    assert everything() == before


def test_a_merge_rewrites_no_ownership():
    shared_browser()
    before = list(Ownership.objects.values_list())

    merge(person(id="B"), person(id="A"))

    assert list(Ownership.objects.values_list()) == before


def test_a_third_in_a_closed_gap_opens_it_again():
    seen = shared_browser()
    merged(person(id="A"), person(id="B"))

    process([alias(id="C", previous="X", at=2), alias(id="C", previous="X", at=4)])

    assert owners(seen) == ["C"]
    assert person(id="A").attributes == {}
    assert person(id="C").attributes == {"city": "Bern"}


def test_a_third_inside_a_closed_gap_takes_what_was_written_there(arrive):
    seen = shared_browser()
    merged(person(id="A"), person(id="B"))

    arrive(alias(id="C", previous="X", at=4))

    assert (owners(seen), holders()) == ([None], ["X"])
    assert person(id="A").attributes == {}


def test_a_gap_is_closed_when_a_merged_leads_email_is_claimed(arrive):
    seen = shared_browser()
    process([identify(email=E, at=1)])
    merged(person(id="A"), person(email=E))

    arrive(identify(id="B", email=E, at=8, trusted=True))

    assert (owners(seen), holders()) == (["A"], ["A"])


# What it tells


@pytest.mark.parametrize("signal", [people_merged, merge_undone], ids=["merged", "undone"])
def test_it_is_told_after_commit(signal, django_capture_on_commit_callbacks):
    a, b = two_people()
    heard = []

    def listen(operation, **rest):
        heard.append(operation)

    signal.connect(listen)
    with django_capture_on_commit_callbacks(execute=True):
        operation = merge(a, b)
        operation.undo()
        assert heard == []

    assert heard == [operation]
    assert operation.undone_at is not None


def test_nothing_is_told_of_what_is_rolled_back(django_capture_on_commit_callbacks):
    a, b = two_people()

    with django_capture_on_commit_callbacks() as told, transaction.atomic():
        merge(a, b)
        transaction.set_rollback(True)

    assert told == []
    assert not MergeOperation.objects.exists()


# What it costs


def writes_of(block):
    with CaptureQueriesContext(connection) as queries:
        block()
    verbs = ("INSERT", "UPDATE", "DELETE")
    return [query["sql"].split()[:3] for query in queries if query["sql"].startswith(verbs)]


def history(person, length):
    Activity.objects.bulk_create(
        ActivityFactory.build_batch(length, identifier=Identifier.objects.get(pk=person.pk))
    )


@pytest.mark.parametrize("length", [10, 10_000])
def test_a_merge_and_an_undo_write_as_little_after_a_long_history(length):
    a, b = two_people()
    history(b, length)
    done = []

    merges = writes_of(lambda: done.append(merge(a, b)))
    undoes = writes_of(done[0].undo)

    assert (len(merges), len(undoes)) == (7, 8)


# Many at once


def at_once(*blocks):
    """Run each block in a thread of its own; return what failed."""
    start = threading.Barrier(len(blocks))
    failed = []

    def work(block):
        start.wait(10)
        try:
            block()
        except Exception as error:  # noqa: BLE001
            failed.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=[block]) for block in blocks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return failed


def merges_and_undoes(seed, number):
    """Merge any two again and again, and take every other merge back."""
    random = Random(seed)  # noqa: S311
    everybody = list(Person.objects.order_by("pk"))
    done = []
    for _ in range(number):
        done.append(merge(*random.sample(everybody, 2)))
        if random.random() < 0.5:
            random.choice(done).undo()


def says(messages):
    for said in messages:
        process([as_message(said)])


def operations():
    return [
        Operation(
            primary=anchored(row.primary.anchor.ref),
            secondary=anchored(row.secondary.anchor.ref),
            at=microseconds(row.at),
            id=row.pk.hex,
            live=row.undone_at is None,
        )
        for row in MergeOperation.objects.all()
    ]


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(5))
def test_merging_and_identifying_at_once_give_what_the_rules_say(seed):
    messages = crowd(seed, 120)
    says(messages[:40])

    failed = at_once(
        partial(merges_and_undoes, seed, 40),
        partial(says, messages[40:]),
    )

    assert failed == []
    reference = Reference(messages, operations())
    assert_same(reference)
    assert_sound(reference)


@pytest.mark.server
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_a_crowd_that_merges_and_identifies_gives_what_the_rules_say(seed):
    messages = crowd(seed, 140)
    says(messages[:40])

    failed = at_once(
        *(partial(merges_and_undoes, seed + 10 * thread, 15) for thread in range(3)),
        *(partial(says, messages[40 + first :: 3]) for first in range(3)),
    )

    assert failed == []
    reference = Reference(messages, operations())
    assert_same(reference)
    assert_sound(reference)
