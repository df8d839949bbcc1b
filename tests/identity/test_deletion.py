"""Deleting a person takes back all they did and said, and nothing else."""

from __future__ import annotations

import pytest
from django.apps import apps

from identity_tracking import merge
from identity_tracking.identifiers import Kind, Ref
from identity_tracking.identity import people
from identity_tracking.identity.deletion import delete, delete_strays
from identity_tracking.identity.rows import Vanished
from identity_tracking.ingest.process import process
from identity_tracking.messages import Outcome
from identity_tracking.models import (
    Activity,
    Claim,
    Conflict,
    Identifier,
    MergeOperation,
    ObjectRelationship,
    Person,
    TrackedObject,
)
from tests.saying import alias, called, hour, identify, owner, owners, page, person, relate

pytestmark = pytest.mark.django_db

E = "e@x.org"


def gone(**who):
    delete(person(**who), "default")


def left():
    """The tables that still hold something."""
    models = apps.get_app_config("identity_tracking").get_models()
    return {model.__name__ for model in models if model._default_manager.exists()}


def test_nothing_of_a_person_stays():
    process(
        [
            page(anonymous_id="X", at=1),
            identify(email=E, anonymous_id="X", at=2, properties={"plan": "pro"}),
            identify(id="u", email=E, anonymous_id="Y", at=3, trusted=True),
            relate("acme", id="u", at=4),
            alias(id="u", previous="Z", at=5),
        ]
    )

    gone(id="u")

    assert left() == {"TrackedObject"}
    assert TrackedObject.objects.get().object_id == "acme"


def test_a_later_identify_makes_a_new_person():
    process([identify(id="u", properties={"plan": "pro"})])
    before = person(id="u").cio_id

    gone(id="u")
    process([identify(id="u")])

    assert person(id="u").cio_id != before
    assert person(id="u").attributes == {}


def test_a_deleted_message_may_come_again():
    said = page(id="u")
    process([said])

    gone(id="u")

    assert process([said]) == [Outcome.STORED]


def test_on_a_shared_browser_goes_what_is_theirs_or_may_be():
    messages = [page(anonymous_id="X", at=at) for at in (0, 2, 4, 6)]
    process(
        [identify(id=id, anonymous_id="X", at=at) for id, at in (("A", 1), ("B", 3), ("C", 5))]
        + messages
    )

    gone(id="B")

    assert list(
        Activity.objects.filter(pk__in=[m.key for m in messages]).order_by("timestamp")
    ) == [
        Activity.objects.get(pk=messages[0].key),
        Activity.objects.get(pk=messages[3].key),
    ]
    assert owners(messages[0], messages[3]) == ["A", "C"]


def test_whom_others_are_keeps_what_they_said():
    process(
        [
            identify(id="A", anonymous_id="X", at=1, properties={"plan": "pro"}),
            identify(id="B", anonymous_id="X", at=3),
            relate("acme", id="A", at=2),
        ]
    )

    gone(id="B")

    assert person(anonymous_id="X").user_id == "A"
    assert person(id="A").attributes == {"plan": "pro"}
    assert ObjectRelationship.objects.count() == 1


def test_what_was_merged_into_them_goes_too():
    process([page(id="A"), page(id="B"), page(id="C")])
    merge(person(id="A"), person(id="B"))
    merge(person(id="C"), person(id="B")).undo()

    gone(id="A")

    assert [called(one) for one in Person.objects.all()] == ["C"]
    assert not MergeOperation.objects.exists()


def test_where_the_only_merge_goes_their_leads_go_back_with_whom_it_joined():
    process([identify(id="v", email=E), identify(id="w", email="lead@x.org")])
    lead, own = (Person.objects.get(pk=Ref(Kind.EMAIL, one).key) for one in ("lead@x.org", E))
    merge(lead, person(id="v"))
    Claim.objects.get(weak=lead.pk).void()

    gone(id="w")

    assert Person.objects.find(cio_id=own.cio_id) == person(id="v") == person(email=E)


def test_an_email_that_another_uses_is_theirs():
    process([identify(id=id, email=E, at=at) for at, id in enumerate("uv")])

    gone(id="v")

    assert person(email=E) == person(id="u")
    assert person(id="u").email == E


def test_what_comes_of_the_deleted_after_all_is_spared_for_nobody():
    process([identify(id="u", email=E)])

    delete_strays({Ref(Kind.EMAIL, E).key}, "default")

    assert person(id="u").email is None
    assert not Identifier.objects.filter(value=E).exists()


def test_who_was_parted_from_another_since_they_were_read_goes_alone():
    process([page(id="A"), page(id="B")])
    operation = merge(person(id="A"), person(id="B"))
    b = Person.objects.get(user_id="B")
    operation.undo()

    delete(b, "default")

    assert [called(one) for one in Person.objects.all()] == ["A"]


def test_with_whom_was_merged_since_they_were_read_goes_the_whole_person():
    process([page(id="A"), page(id="B")])
    b = person(id="B")
    merge(person(id="A"), b)

    delete(b, "default")

    assert not Person.objects.exists()


def test_nobody_goes_whom_somebody_merged_meanwhile(monkeypatch):
    process([page(id="A"), page(id="B")])
    a, b = person(id="A"), person(id="B")
    refresh = people.refresh

    def merged_first(*args):
        MergeOperation.objects.create(primary=a, secondary=b, at=hour(5))
        refresh(*args)

    monkeypatch.setattr(people, "refresh", merged_first)

    with pytest.raises(Vanished):
        delete(b, "default")


def test_an_unproven_claim_to_a_deleted_leads_email_goes_with_the_lead():
    process([identify(email=E, trusted=True, at=1), identify(id="v", email=E, at=2)])

    gone(email=E)

    assert not Claim.objects.exists()
    assert not Conflict.objects.exists()
    assert not Identifier.objects.filter(value=E).exists()
    assert E not in str(list(Identifier.objects.values_list("registers", flat=True)))
    assert person(id="v").email is None


def test_an_email_that_two_used_stays_the_others():
    kept = page(email=E, at=1)
    process(
        [
            identify(id="u", email=E, at=1, trusted=True),
            kept,
            identify(id="v", email=E, at=5, trusted=True),
            page(email=E, at=6),
        ]
    )

    gone(id="v")

    assert owner(kept) == "u"
    assert person(email=E).user_id == "u"
    assert Activity.objects.count() == 2
    assert not Conflict.objects.exists()


def test_another_id_that_was_given_and_taken_back_is_forgotten():
    process([page(id="u", at=1)])
    said = identify(cio_id=person(id="u").cio_id, id="v", at=5, trusted=True)
    process([said])
    MergeOperation.objects.get().undo()

    gone(id="v")

    assert [called(one) for one in Person.objects.all()] == ["u"]
    assert owner(said) == "u"
    assert "v" not in str(Identifier.objects.get().registers)


def test_deleting_twice_deletes_nobody_else():
    process([page(id="u"), page(id="v")])
    somebody = person(id="u")

    delete(somebody, "default")
    delete(somebody, "default")

    assert [called(one) for one in Person.objects.all()] == ["v"]


def test_what_was_related_in_a_gap_next_to_theirs_goes_too():
    process(
        [
            identify(id="A", anonymous_id="X", at=1),
            relate("acme", anonymous_id="X", at=2),
            identify(id="B", anonymous_id="X", at=3),
        ]
    )
    assert ObjectRelationship.objects.count() == 1

    gone(id="A")

    assert not ObjectRelationship.objects.exists()
