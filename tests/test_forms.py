"""Django's own forms, and those that the script tells of: who filled them in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile

from identity_tracking import erase
from identity_tracking import identify as identify_person
from identity_tracking.forms import IdentifyingForm
from identity_tracking.models import Activity, FailedEvent, Form, Person
from identity_tracking.submissions.submission import read
from identity_tracking.submissions.submit import messages_of
from identity_tracking.visitor import Visitor
from tests.saying import hour
from tests.saying import person as somebody
from tests.web import Browser, configure, identify, track

pytestmark = pytest.mark.django_db


class SignUp(IdentifyingForm, forms.Form):
    identity_form = "sign-up"
    identity_fields = {"plan": "wanted_plan", "note": None}

    reach_me = forms.EmailField(required=False)
    first_name = forms.CharField(required=False)
    plan = forms.CharField(required=False)
    note = forms.CharField(required=False)
    team = forms.ModelChoiceField(Group.objects.all(), required=False)
    word = forms.CharField(widget=forms.PasswordInput, required=False)
    upload = forms.FileField(required=False)


class Account(IdentifyingForm, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = User
        fields = ["email", "last_name"]


@pytest.fixture
def fill(rf):
    """Fill in a form from a browser with these cookies; return whose it is, and its visitor."""

    def do(made, files=None, cookies=(), **data):
        request = rf.post("/", HTTP_USER_AGENT="Mozilla/5.0")
        request.COOKIES.update(cookies)
        request.visitor = Visitor(request)
        form = made(data, files)
        assert form.is_valid()
        return form.identify(request), request.visitor

    return do


def test_a_valid_form_identifies_who_filled_it_in(fill):
    Browser(cioanonid="X").send(track(anonymous_id="X"))
    team = Group.objects.create(name="tasters")
    person, visitor = fill(
        SignUp,
        {"upload": SimpleUploadedFile("a.txt", b"secret")},
        {"_cioanonid": "X"},
        reach_me="Ada@example.com",
        first_name="Ada",
        plan="pro",
        note="hello",
        team=team.pk,
        word="secret",
    )

    assert person == Person.objects.find(email="ada@example.com", anonymous_id="X")
    assert person.attributes == {"first_name": "Ada", "wanted_plan": "pro", "team": "tasters"}
    assert [one.type for one in person.activities] == ["form", "track"]
    assert person.activities[0].name == "sign-up"
    assert visitor.claimed_id or visitor._pending["_cioid"]


def test_on_somebody_s_browser_it_is_theirs_whatever_email_they_type(fill):
    cookies = {"_cioanonid": "X", "_cioid": "42"}
    person, _ = fill(SignUp, cookies=cookies, reach_me="friend@example.com", first_name="Ada")

    assert (person.user_id, person.email) == ("42", None)
    assert Person.objects.find(email="friend@example.com") is None


def test_a_form_of_a_model_is_called_as_its_class_is(fill):
    person, _ = fill(Account, email="ada@example.com", last_name="L")

    assert person.attributes == {"last_name": "L"}
    assert Form.objects.get().form_id == "Account"


def test_of_nobody_nothing_is_kept_and_nothing_raised(fill, caplog):
    assert fill(SignUp, first_name="Ada")[0] is None
    assert "no_identifier" in caplog.text
    assert not Activity.objects.exists()


def test_where_it_fails_the_page_goes_on(fill, settings, caplog):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "EXCLUDE": "no.such.hook"}

    assert fill(SignUp, reach_me="ada@example.com")[0] is None
    assert "identifying who filled in a form" in caplog.text


def told(message_id="m-1", **data):
    return track("_cio_form", message_id=message_id, anonymous_id="X", data=data)


def test_what_the_script_tells_of_a_form_is_a_submission():
    browser = Browser(cioanonid="X")
    for _ in range(2):
        browser.send(told(form_id="news", email="ada@example.com", first_name="Ada", password="p"))

    person = somebody(anonymous_id="X")
    assert (person.email, person.attributes) == ("ada@example.com", {"first_name": "Ada"})
    (activity,) = person.activities
    assert (activity.type, activity.name, activity.trusted) == ("form", "news", False)
    assert activity.properties == {"email": "ada@example.com", "first_name": "Ada"}
    assert browser.person_id == "ada@example.com"
    assert [day.submissions for day in Form.objects.get().days.all()] == [1]


def test_on_a_browser_that_is_somebody_s_it_identifies_nobody_else():
    browser = Browser(cioanonid="X")
    browser.send(identify(id="42", anonymous_id="X"))
    form = told(form_id="news", email="friend@example.com")
    browser.send({**form, "id": "42"})

    assert somebody(anonymous_id="X").user_id == "42"
    assert Person.objects.find(email="friend@example.com") is None


def test_it_is_known_whose_a_browser_became_where_no_cookie_could_be_set():
    Browser(cioanonid="X").send(told("m-1", form_id="news", email="ada@example.com"))
    unaware = Browser(cioanonid="X")  # of another origin, or its answer came late

    unaware.send(told("m-2", form_id="tell", email="friend@example.com"))

    assert Person.objects.find(email="friend@example.com") is None
    assert {one.name for one in somebody(anonymous_id="X").activities} == {"news", "tell"}
    assert unaware.person_id == ""

    unaware.send(told("m-3", form_id="news", email=" Ada@Example.com"))

    assert unaware.person_id == "ada@example.com"


def test_of_two_forms_sent_together_the_first_says_whose_the_browser_is():
    browser = Browser(cioanonid="X")
    browser.send(
        told("m-1", form_id="search", q="beans"),
        told("m-2", form_id="news", email="ada@example.com"),
        told("m-3", form_id="tell", email="friend@example.com"),
    )

    assert Person.objects.find(email="friend@example.com") is None
    assert len(somebody(anonymous_id="X").activities) == 3
    assert browser.person_id == "ada@example.com"


def test_forms_of_no_browser_are_of_whom_each_names():
    known: dict[str, Any] = {"source": "shop", "trusted": False, "received_at": hour(0)}
    told = [
        read("news", {"email": f"{who}@example.com"}, message_id=who, **known) for who in ("a", "b")
    ]

    assert [one.head.value for one in messages_of(told)] == ["a@example.com", "b@example.com"]


def test_without_an_email_it_is_the_visitor_s():
    Browser(cioanonid="X").send(told(form_id="search", q="beans"))

    assert Activity.objects.get().identifier.value == "X"
    assert not Person.objects.exists()


def test_the_email_of_a_field_that_asks_for_a_friend_s_identifies_nobody():
    email = "friend@example.com"
    Browser(cioanonid="X").send(told(form_id="tell", friend=email, email=email))

    assert not Person.objects.exists()
    assert Activity.objects.get().properties == {"friend": email}


def test_an_email_is_told_once_however_its_field_is_called():
    email = "ada@example.com"
    Browser(cioanonid="X").send(told(form_id="news", who=email, email=email))

    assert somebody(email=email).attributes == {}


@pytest.mark.parametrize("data", [{}, {"email": "ada@example.com"}])
def test_a_form_that_is_nobodys_does_not_spoil_the_others(data):
    nobodys = {**told("nobodys", form_id="news", **data), "id": "cio_gone", "anonymous_id": ""}

    answer = Browser().send(track("clicked", anonymous_id="X"), nobodys)

    assert answer.status_code == 200
    assert Activity.objects.filter(name="clicked").exists()
    assert Activity.objects.filter(type="form").exists() is bool(data)
    assert [event.code for event in FailedEvent.objects.all()] == ["no_identifier"] * (not data)


def test_the_answer_to_a_form_does_not_tell_who_was_erased(settings):
    configure(settings, SUPPRESSION_KEY="only the tests' own")
    gone = identify_person(None, email="gone@example.com")
    assert gone
    erase(gone)

    answers = [
        Browser(cioanonid=name).send({**told(form_id="news", email=email), "anonymous_id": name})
        for name, email in (("X", "gone@example.com"), ("Y", "new@example.com"))
    ]

    one, other = (({**answer.headers}, answer.content, {*answer.cookies}) for answer in answers)
    assert one == other
    assert not Person.objects.find(email="gone@example.com")


def test_a_form_without_an_id_is_kept_as_failed():
    answer = Browser(cioanonid="X").send(told(email="ada@example.com"))

    assert answer.json()["errors"][0]["code"] == "invalid_form_id"
    assert json.loads(FailedEvent.objects.get().payload)["name"] == "_cio_form"
