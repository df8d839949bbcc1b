"""The Track API's forms, as a server sends them."""

from __future__ import annotations

import json

import pytest

from identity_tracking.api.replay import Replay, replay
from identity_tracking.messages import Type
from identity_tracking.models import Activity, FailedEvent, Form, FormDay, FormField, Person
from tests.saying import person as found
from tests.web import Browser, configure, said

pytestmark = pytest.mark.django_db


@pytest.fixture
def submit(call):
    def do(form_id="signup", **data):
        return call("POST", f"forms/{form_id}/submit", {"data": data})

    return do


def roles(form_id="signup"):
    fields = FormField.objects.filter(form__form_id=form_id)
    return dict(fields.values_list("name", "role"))


def test_a_submission_is_an_activity_and_its_fields_are_attributes(submit):
    answer = submit(email="Ada@example.com", first_name="Ada", plan="pro")

    assert (answer.status_code, answer.content) == (204, b"")
    person = found(email="ada@example.com")
    assert person.attributes == {"first_name": "Ada", "plan": "pro"}
    activity = person.activities.get()
    assert (activity.type, activity.name, activity.trusted) == (Type.FORM, "signup", True)
    assert activity.properties == {"email": "Ada@example.com", "first_name": "Ada", "plan": "pro"}


def test_it_is_mounted_where_the_other_calls_are(server):
    answer = server.post(
        "/people/api/v1/forms/a%2Fb/submit/", {"data": {"id": 42}}, content_type="application/json"
    )

    assert answer.status_code == 204
    assert Form.objects.get().form_id == "a/b"


def test_the_first_submission_lists_the_form_and_its_fields(submit):
    submit(id="42", work_email="ada@example.com", plan="pro", form_name="Sign up", password="x")
    submit(id="43", city="London", form_url="https://shop.example/join?email=a@b.example#top")

    form = Form.objects.get()
    assert (form.source, form.form_id, form.name, form.trusted) == (
        "shop",
        "signup",
        "Sign up",
        True,
    )
    assert form.url == "https://shop.example/join"
    assert roles() == {
        "id": "id",
        "work_email": "email",
        "plan": "attribute",
        "city": "attribute",
    }
    assert FormDay.objects.get().submissions == 2


def test_an_id_and_an_email_name_one_person(submit):
    submit(id="42", email="ada@example.com", anonymous_id="X")

    person = found(id="42")
    assert person == found(email="ada@example.com")
    assert person == found(anonymous_id="X")
    assert person.attributes == {}


def test_what_is_secret_is_kept_nowhere(submit):
    submit(email="ada@example.com", password="hunter2", card_number="4111")
    submit(password="hunter2", card_number="4111")

    kept = [Activity.objects.get().properties, FailedEvent.objects.get().payload]
    assert "hunter2" not in str(kept)
    assert "4111" not in str(kept)
    assert roles() == {"email": "email"}


def test_a_form_that_identifies_nobody_is_refused_listed_and_tried_again_once_mapped(submit):
    answer = submit(contact="ada@example.com", plan="pro")

    assert answer.status_code == 400
    assert answer.json()["meta"]["code"] == "no_identifier"
    assert not Person.objects.exists()

    FormField.objects.filter(name="contact").update(role="email")
    failed = FailedEvent.objects.get()

    assert replay(failed) is Replay.ACCEPTED
    person = found(email="ada@example.com")
    assert person.attributes == {"plan": "pro"}
    assert person.activities.get().timestamp == failed.received_at
    assert FormDay.objects.get().submissions == 1


def test_a_field_gives_what_it_is_mapped_to(submit):
    submit(email="ada@example.com", fname="Ada", comment="Hello", customer="42")
    FormField.objects.filter(name="fname").update(attribute="first_name")
    FormField.objects.filter(name="comment").update(role="ignore")
    FormField.objects.filter(name="customer").update(role="id")
    Form.objects.update(name="Sign up")

    submit(email="ada@example.com", fname="Augusta", comment="Hello again", customer="42")

    person = found(id="42")
    assert person.attributes == {
        "fname": "Ada",
        "comment": "Hello",
        "customer": "42",
        "first_name": "Augusta",
    }
    activity = person.activities.newest()[0]
    assert (activity.name, activity.properties["comment"]) == ("Sign up", "Hello again")


def test_an_empty_field_overwrites_nothing(submit):
    submit(email="ada@example.com", city="London")
    submit(email="ada@example.com", city="")

    assert found(email="ada@example.com").attributes == {"city": "London"}


@pytest.mark.parametrize("attribute", ["id", "email", "anonymous_id", "cio_relationships"])
def test_no_field_becomes_an_attribute_that_says_who_it_is(submit, attribute):
    submit(email="ada@example.com", code="x")
    FormField.objects.filter(name="code").update(attribute=attribute)

    submit(email="bob@example.com", code="y")

    assert found(email="bob@example.com").attributes == {}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_data"),
        ({"data": None}, "invalid_data"),
        ({"data": [1]}, "invalid_data"),
        ([], "invalid_body"),
        ({"data": {"email": "\0"}}, "invalid_text"),
    ],
    ids=str,
)
def test_what_is_no_form_is_refused_and_kept(call, body, code):
    answer = call("POST", "forms/signup/submit", body)

    assert answer.status_code == 400
    assert list(answer.json()["meta"]) == ["errors", "code"]
    assert FailedEvent.objects.get().code == code


def test_a_form_id_is_bounded(submit):
    assert submit("x" * 151, email="ada@example.com").status_code == 400
    assert submit("x" * 150, email="ada@example.com").status_code == 204


def test_without_the_key_nothing_is_taken(client):
    answer = client.post("/people/api/v1/forms/signup/submit", "{}", content_type="text/plain")

    assert answer.status_code == 401
    assert not Form.objects.exists()


def test_nothing_is_taken_where_the_app_is_off(submit, settings):
    configure(settings, ENABLED=False)

    assert submit(email="ada@example.com").status_code == 204
    assert not Activity.objects.exists()
    assert not Form.objects.exists()


def test_a_form_claims_the_browser_that_a_server_names(submit):
    Browser().send(said(anonymous_id="X"))

    submit(email="ada@example.com", anonymous_id="X")

    assert found(email="ada@example.com").activities.count() == 2


def test_a_refused_form_keeps_what_an_erasure_looks_for(submit):
    submit(contact="ada@example.com")

    assert json.loads(FailedEvent.objects.get().payload)["mentions"] == [
        {"email": "ada@example.com"}
    ]
