"""The Track API, version 2: items of a batch, each for itself."""

from __future__ import annotations

import json

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from identity_tracking.models import Activity, FailedEvent, Person
from tests.web import configure

pytestmark = pytest.mark.django_db

ENTITY, BATCH = "/people/api/v2/entity", "/people/api/v2/batch"
ACME = {"identifiers": {"object_type_id": "1", "object_id": "acme"}}


def item(action, who=None, **said):
    return {
        "type": "person",
        "action": action,
        "identifiers": {"id": "42"} if who is None else who,
        **said,
    }


def find(**who):
    return Person.objects.find(**who)


def test_an_entity_is_one_item(call):
    answer = call("POST", ENTITY, item("identify", {"id": 1}, attributes={"a": 1}))

    assert (answer.status_code, answer.json()) == (200, {})
    assert find(id="1").attributes == {"a": 1}


def test_an_invalid_entity_is_told_and_kept(call):
    answer = call("POST", ENTITY, item("event"))

    error = {"reason": "name_missing", "field": "name", "message": "An event has a name."}
    assert (answer.status_code, answer.json()) == (400, {"errors": [error]})
    assert FailedEvent.objects.get().code == "name_missing"


def test_a_batch_is_done_in_its_order(send):
    status, errors = send(
        item("identify", attributes={"plan": "free"}, cio_relationships=[]),
        item("identify", {"email": "a@example.com"}, attributes={"city": "London"}),
        item("event", name="bought", attributes={"price": 1}, id="e-1"),
        item("page", name="https://example.com/p"),
        item("screen", name="Checkout"),
        item("add_relationships", cio_relationships=[ACME]),
        item("add_device", device={"token": "t1", "platform": "ios"}),
        {
            "type": "person",
            "action": "merge",
            "primary": {"id": "42"},
            "secondary": {"email": "a@example.com"},
        },
    )

    assert (status, errors) == (200, [])
    person = find(email="a@example.com")
    assert person == find(id="42")
    assert person.attributes == {"plan": "free", "city": "London"}
    held = {(one.object.object_type, one.object.object_id) for one in person.relationships}
    assert held == {("1", "acme"), ("device", "t1")}
    assert {one.name for one in person.activities} >= {"bought", "Checkout"}


def test_items_of_one_second_count_in_their_order(send):
    plans = [{"plan": number, "_timestamp": 1_763_700_000} for number in range(20)]

    send(*(item("identify", attributes=plan) for plan in plans))

    assert find(id="42").attributes == {"plan": 19}


def test_an_empty_text_removes_a_relationships_attribute_too(send):
    about, gone = ({**ACME, "relationship_attributes": {"role": role}} for role in ("admin", ""))
    block = {"action": "add_relationships", "relationships": [gone]}

    for last in (
        item("add_relationships", cio_relationships=[gone]),
        item("identify", cio_relationships=[block]),
    ):
        send(item("add_relationships", cio_relationships=[about]), last)
        assert find(id="42").relationships.get().attributes == {}


def test_what_was_added_can_be_taken_back(send):
    send(
        item("add_relationships", cio_relationships=[ACME]),
        item("add_device", device={"token": "t1", "platform": "ios"}),
    )
    send(
        item("delete_relationships", cio_relationships=[ACME]),
        item("delete_device", device={"token": "t1"}),
    )

    assert not find(id="42").relationships.exists()


def test_a_deleted_person_is_gone(send):
    send(item("identify"), item("delete"))

    assert find(id="42") is None


def test_who_is_suppressed_is_refused_until_that_is_taken_back(send, settings):
    configure(settings, SUPPRESSION_KEY="a key of the tests")

    send(item("identify"), item("suppress"), item("identify"))
    assert find(id="42") is None

    send(item("unsuppress"), item("identify"))
    assert find(id="42") is not None


def test_invalid_items_are_told_by_their_place_and_spoil_no_others(send):
    status, errors = send(
        item("identify", attributes={"plan": "pro"}),
        item("fly"),
        item("identify", {}),
        item("identify", {"id": "1", "email": "a@example.com"}),
        item("identify", {"name": "1"}),
        item("identify", {"id": ""}),
        "nothing",
        {"type": "object", "action": "fly"},
        item("event", name="bought"),
        item("identify", attributes="pro"),
        item("add_relationships"),
        item("add_device", device="t1"),
        item("identify", attributes={"long": "x" * 40_000}),
        {"type": "person", "action": {}},
    )

    assert status == 207
    assert [(one["batch_index"], one["reason"]) for one in errors] == [
        (1, "unknown_action"),
        (2, "invalid_identifiers"),
        (3, "invalid_identifiers"),
        (4, "invalid_identifiers"),
        (5, "no_identifier"),
        (6, "invalid_item"),
        (7, "unknown_action"),
        (9, "not_an_object"),
        (10, "invalid_relationships"),
        (11, "invalid_device"),
        (12, "too_large"),
        (13, "unknown_action"),
    ]
    assert all(one["message"] and "field" in one for one in errors)
    assert find(id="42").attributes == {"plan": "pro"}
    assert Activity.objects.filter(name="bought").count() == 1
    assert FailedEvent.objects.count() == len(errors)
    assert json.loads(FailedEvent.objects.filter(code="invalid_item").get().payload) == "nothing"


def test_an_item_may_be_as_long_in_any_script(send):
    assert send(item("identify", attributes={"about": "中" * 10_000})) == (200, [])

    assert find(id="42").attributes == {"about": "中" * 10_000}


def test_an_update_alone_makes_nobody(send):
    assert send(item("identify", attributes={"_update": True})) == (200, [])

    assert find(id="42") is None


def test_somebody_made_by_a_batch_may_be_updated_by_it(send):
    send(
        item("identify", attributes={"a": 1}),
        item("identify", attributes={"_update": True, "a": 2}),
    )

    assert find(id="42").attributes == {"a": 2}


def test_what_stands_later_in_a_batch_is_later(send):
    for number in range(5):
        send(
            item("add_relationships", cio_relationships=[ACME]),
            item("identify", attributes={"plan": "free", "city": "Bern"}),
            item("identify", attributes={"plan": number, "city": ""}),
            item("delete_relationships", cio_relationships=[ACME]),
        )
        assert find(id="42").attributes == {"plan": number}
        assert not find(id="42").relationships.exists()


def test_an_anonymous_event_is_its_visitors(send):
    send(item("event", {"anonymous_id": "anon-1"}, name="viewed"))

    assert Activity.objects.get().identifier.value == "anon-1"


def test_an_anonymous_id_names_nobody_that_could_be_deleted_or_merged(send):
    send(item("identify", attributes={"anonymous_id": "anon-1"}))
    browser = {"anonymous_id": "anon-1"}

    _, errors = send(
        item("delete", browser),
        item("suppress", browser),
        item("identify", browser),
        {"type": "person", "action": "merge", "primary": {"id": "42"}, "secondary": browser},
    )

    assert {one["reason"] for one in errors} == {"invalid_identifiers"}
    assert len(errors) == 4
    assert find(id="42") == find(anonymous_id="anon-1") is not None


@pytest.mark.django_db(transaction=True)
def test_where_the_database_fails_nothing_of_a_batch_is_done(send, call):
    send(item("identify", {"id": "1"}))

    def fail_on_delete(execute, sql, params, many, context):
        if sql.startswith("DELETE"):
            raise OperationalError("gone")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail_on_delete):
        items = [item("event", name="bought"), item("delete", {"id": "1"})]
        answer = call("POST", BATCH, {"batch": items})

    assert (answer.status_code, "Retry-After" in answer) == (503, True)
    assert not Activity.objects.filter(name="bought").exists()
    assert find(id="1") is not None


@pytest.mark.parametrize("body", [{}, {"batch": {}}, [], {"batch": None}], ids=str)
def test_a_batch_is_a_list(call, body):
    answer = call("POST", BATCH, body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["reason"] == "invalid_body"


def test_without_the_key_the_answer_is_that_of_version_1(client):
    answer = client.post(BATCH, {"batch": []}, content_type="application/json")

    assert (answer.status_code, list(answer.json())) == (401, ["meta"])


@pytest.mark.parametrize("number", [20, 40])
def test_a_batch_of_events_takes_few_queries(send, number):
    send(item("identify"))

    with CaptureQueriesContext(
        connection,
    ) as asked:
        send(*(item("event", name="bought", id=f"e-{one}") for one in range(number)))

    assert len(asked) <= 6
