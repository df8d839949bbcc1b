"""The Track API, version 2: objects as the subject of an item."""

from __future__ import annotations

import pytest

from identity_tracking import merge, relate
from identity_tracking.messages import object_ref
from identity_tracking.models import (
    Activity,
    Claim,
    FailedEvent,
    MergeOperation,
    ObjectRelationship,
    Person,
    TrackedObject,
)
from tests.costs import cost

pytestmark = pytest.mark.django_db

ACME = object_ref("1", "acme")


def item(action, of=None, **said):
    of = of or {"object_type_id": 1, "object_id": "acme"}
    return {"type": "object", "action": action, "identifiers": of, **said}


def people(*who, **about):
    return [{"identifiers": one, "relationship_attributes": about} for one in who]


def find(**who):
    return Person.objects.find(**who)


def acme():
    return TrackedObject.objects.get(pk=ACME.key)


def test_an_object_is_made_and_described_with_nobody_in_it(send):
    assert send(item("identify", attributes={"plan": "pro", "city": "Bern"})) == (200, [])
    assert send(item("identify", attributes={"plan": "free", "city": ""})) == (200, [])

    assert acme().attributes == {"plan": "free"}
    assert not Activity.objects.exists()


def test_people_are_related_to_it_by_any_name(send):
    send({"type": "person", "action": "identify", "identifiers": {"id": "3"}})
    who = [{"id": 1}, {"email": "b@example.com"}, {"cio_id": find(id="3").cio_id}]

    assert send(item("identify", cio_relationships=people(*who, role="boss"))) == (200, [])

    held = [find(id="1"), find(email="b@example.com"), find(id="3")]
    assert [one.relationships.get().attributes for one in held] == [{"role": "boss"}] * 3


def test_what_an_anonymous_visitor_relates_to_goes_with_them(send):
    send(item("identify_anonymous", cio_relationships=people({"anonymous_id": "x"})))
    who = {"type": "person", "action": "identify", "identifiers": {"id": "1"}}
    send({**who, "attributes": {"anonymous_id": "x"}})

    assert find(id="1").relationships.get().object == acme()


def test_relationships_are_added_and_deleted(send):
    two = people({"id": "1"}, {"id": "2"})
    send(item("add_relationships", cio_relationships=two))
    send(item("delete_relationships", cio_relationships=two[:1]))

    assert not find(id="1").relationships.exists()
    assert find(id="2").relationships.exists()


def test_an_object_may_be_called_by_its_key(send):
    send(item("identify"))

    named = {"cio_object_id": acme().pk.hex}
    assert send(item("identify", named, attributes={"plan": "pro"})) == (200, [])

    assert acme().attributes == {"plan": "pro"}


def test_a_deleted_object_is_nobodys_and_says_nothing_until_it_is_made_again(send):
    send(item("identify", attributes={"a": 1}, cio_relationships=people({"id": "1"})))

    for _ in range(2):
        assert send(item("delete")) == (200, [])
    assert (acme().attributes, ObjectRelationship.objects.count()) == ({}, 0)
    assert not TrackedObject.objects.standing().exists()

    send(item("identify", attributes={"b": 2}))
    assert TrackedObject.objects.standing().get().attributes == {"b": 2}


def test_in_one_batch_each_item_finds_what_those_before_it_did(send):
    assert send(
        item("identify", attributes={"a": 1}, cio_relationships=people({"id": "1"})),
        item("delete"),
        item("identify", attributes={"b": 2}, cio_relationships=people({"id": "2"})),
    ) == (200, [])

    assert acme().attributes == {"b": 2}
    assert find(id="1").relationships.count() == 0
    assert find(id="2").relationships.count() == 1


def test_deleting_what_nobody_knows_shows_nothing_and_ends_what_comes_late(send):
    assert send(item("delete", timestamp=1_700_000_002)) == (200, [])
    assert not TrackedObject.objects.standing().exists()

    send(item("identify", timestamp=1_700_000_001, attributes={"a": 1}))
    relate(None, "1", "acme", id="1", timestamp=1_700_000_001)
    assert not TrackedObject.objects.standing().exists()
    assert not find(id="1").relationships.exists()

    send(item("add_relationships", cio_relationships=people({"id": "1"}, role="boss")))
    assert find(id="1").relationships.get().attributes == {"role": "boss"}


def test_no_undo_brings_back_a_deleted_object(send):
    for who in ("a", "b"):
        relate(None, "1", "acme", id=who)
    merge(find(id="a"), find(id="b"))
    send(item("delete"))

    MergeOperation.objects.get().undo()

    assert find(id="a") != find(id="b")
    assert not ObjectRelationship.objects.exists()


def test_no_voided_claim_brings_back_a_deleted_object(send):
    relate(None, "1", "acme", anonymous_id="x")
    who = {"type": "person", "action": "identify", "identifiers": {"id": "1"}}
    send({**who, "attributes": {"anonymous_id": "x"}}, item("delete"))

    Claim.objects.get().void()

    assert not ObjectRelationship.objects.exists()


def test_invalid_items_are_told_and_kept(send):
    _, errors = send(
        item("fly"),
        item("identify", {"object_id": "acme"}),
        item("identify", {"object_type_id": "1", "object_id": ""}),
        item("identify", {"cio_object_id": "0" * 32}),
        item("identify", {"cio_object_id": [1]}),
        item("identify", attributes="pro"),
        item("add_relationships"),
        item("add_relationships", cio_relationships=[{"identifiers": {}}]),
        item("identify", attributes={"a": 1}, cio_relationships=[{"identifiers": {"id": ""}}]),
        item("identify", timestamp="soon"),
    )

    assert [one["reason"] for one in errors] == [
        "unknown_action",
        "invalid_object",
        "invalid_object",
        "unknown_object",
        "unknown_object",
        "not_an_object",
        "invalid_relationships",
        "invalid_identifiers",
        "no_identifier",
        "invalid_timestamp",
    ]
    assert FailedEvent.objects.count() == len(errors)
    assert not TrackedObject.objects.exists()


def test_what_an_object_has_no_room_for_is_told_and_kept(send):
    for start in (0, 150):
        send(item("identify", attributes={f"a{n}": n for n in range(start, start + 150)}))

    status, errors = send(item("identify"), item("identify", attributes={"b": 1}))

    assert (status, len(acme().attributes)) == (207, 300)
    [(index, reason)] = [(one["batch_index"], one["reason"]) for one in errors]
    assert (index, reason) == (1, "too_many_attributes")
    assert FailedEvent.objects.get().code == "too_many_attributes"


def test_members_of_a_segment_are_looked_up_together(call, send):
    send(*({"type": "person", "action": "identify", "identifiers": {"id": n}} for n in range(3)))

    def looked_up(unknown):
        ids = [0, 1, 2, *(f"nobody-{n}" for n in range(unknown))]
        return cost(lambda: call("POST", "segments/7/add_customers", {"ids": ids})).queries

    looked_up(1)
    assert looked_up(500) == looked_up(1)
