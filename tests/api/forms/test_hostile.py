"""Whatever a form holds, the answer is no server's error, and what is refused is kept."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity_tracking import identify
from identity_tracking.api.replay import Replay, replay
from identity_tracking.models import Activity, FailedEvent, Form, FormField
from identity_tracking.submissions import registry
from tests.hostile import WORDS
from tests.web import Browser

pytestmark = pytest.mark.django_db

URL = "/people/forms/submit_action?"
URL_ENCODED = "application/x-www-form-urlencoded"
KEYS = [
    *("data", "id", "email", "e-mail", "anonymous_id", "form_name", "form_url", "created_at"),
    *("password", "cio_relationships", "name[]", "ä/?#%", "form_id", "site_id", "first_name"),
]
TEXT = st.one_of(st.sampled_from(WORDS), st.text(max_size=20), st.sampled_from(KEYS))
patient = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@patient
@given(
    fields=st.lists(st.tuples(TEXT, TEXT), max_size=6),
    asked=st.fixed_dictionaries({}, optional={"form_id": TEXT, "success_url": TEXT}),
    cookie=TEXT,
)
def test_no_submission_of_a_page_makes_a_servers_error(fields, asked, cookie):
    before = FailedEvent.objects.count()
    query = urlencode({"site_id": "shop", **asked}, errors="surrogatepass")
    body = urlencode(fields, errors="surrogatepass")
    sent = {"cookie": f"_cioid={cookie!a}; _cioanonid={cookie!a}"}

    answer = Browser().post(URL + query, body, content_type=URL_ENCODED, headers=sent)

    assert answer.status_code in {200, 302, 400}
    assert FailedEvent.objects.count() == before + (answer.status_code == 400)
    for failed in FailedEvent.objects.all():
        assert replay(failed) in {Replay.REFUSED, Replay.ACCEPTED}


@patient
@given(body=st.binary(max_size=60))
def test_no_bytes_make_a_servers_error(body):
    answer = Browser().post(f"{URL}site_id=shop&form_id=f", body, content_type=URL_ENCODED)

    assert answer.status_code in {200, 400}


def submit(**fields):
    form = fields.pop("form_id", "signup")
    query = urlencode({"site_id": "shop", "form_id": form})
    return Browser().post(URL + query, urlencode(fields), content_type=URL_ENCODED)


def test_strangers_list_only_so_many_forms_and_fields(monkeypatch):
    monkeypatch.setitem(registry.FORMS, False, 2)
    monkeypatch.setitem(registry.FIELDS, False, 3)

    for n in range(4):
        submit(form_id=f"form-{n}", email="ada@example.com", **{f"field-{n}": "x"})
        submit(form_id="form-0", email="ada@example.com", **{f"other-{n}": "x"})

    assert sorted(Form.objects.values_list("form_id", flat=True)) == ["form-0", "form-1"]
    assert FormField.objects.filter(form__form_id="form-0").count() == 3
    assert Activity.objects.count() == 8


def test_strangers_rename_no_form():
    submit(email="ada@example.com", form_name="Sign up")
    submit(email="ada@example.com", form_name="Sign up at http://evil.example")

    assert Form.objects.get().name == "Sign up"


def test_nobodys_email_is_listed():
    submit(**{"ada@example.com": "x", "email": "ada@example.com", "form_name": "ada@example.com"})
    submit(form_id="ada@example.com", email="ada@example.com")

    assert Form.objects.get().name == ""
    assert list(FormField.objects.values_list("name", flat=True)) == ["email"]


@pytest.mark.case("SPOOF-01")
def test_a_form_overrides_nothing_that_is_proven():
    identify(None, email="ada@example.com", plan="pro")

    submit(email="ada@example.com", plan="free", city="London")

    person = Activity.objects.filter(type="form").get().person
    assert person is not None
    assert person.attributes == {"plan": "pro", "city": "London"}


@pytest.mark.case("AUTH-04")
def test_known_and_unknown_are_answered_alike():
    submit(email="ada@example.com")

    known, unknown = submit(email="ada@example.com"), submit(email="bob@example.com")

    assert known.content == unknown.content
    assert known.cookies.keys() == unknown.cookies.keys() == {"_cioid"}
