from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth import login, logout
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client, RequestFactory

from identity_tracking import identify as identify_person
from identity_tracking import track
from identity_tracking.models import Activity, Person
from identity_tracking.visitor import Visitor
from tests.web import Browser, configure, identify, said
from tests.web import track as event

pytestmark = pytest.mark.django_db


def account(name):
    return User.objects.create_user(name, f"{name}@example.com", "secret", first_name=name.title())


@pytest.fixture
def ada():
    return account("ada")


@pytest.fixture
def bob():
    return account("bob")


def log_in(browser, user):
    response = browser.post("/accounts/login/", {"username": user.username, "password": "secret"})
    assert response.status_code == 302
    return response


def log_out(browser):
    return browser.post("/accounts/logout/")


def person_of(user):
    return Person.objects.get(user_id=str(user.pk))


def names_of(user):
    return set(person_of(user).activities.exclude(name="").values_list("name", flat=True))


def test_who_logs_in_is_identified_with_what_the_account_knows(ada):
    log_in(Browser(), ada)

    person = person_of(ada)
    assert person.email == "ada@example.com"
    assert person.attributes == {"first_name": "Ada"}
    assert person.activities.get().trusted


def test_who_logs_in_takes_their_anonymous_history_along(ada):
    browser = Browser(cioanonid="a-1")
    browser.send(event("looked", anonymous_id="a-1"))

    log_in(browser, ada)
    browser.send(event("bought", anonymous_id="a-1", id=browser.person_id))

    assert names_of(ada) == {"looked", "bought"}


def test_a_login_is_remembered_in_the_cookies(ada):
    browser = Browser(cioanonid="a-1")

    response = log_in(browser, ada)

    assert browser.person_id == str(ada.pk)
    assert browser.anonymous_id == "a-1"
    assert "private" in response["Cache-Control"]
    assert "Cookie" in response["Vary"]


def test_a_second_device_joins_the_persons_history(ada):
    phone, laptop = Browser(cioanonid="phone"), Browser(cioanonid="laptop")
    phone.send(event("on the phone", anonymous_id="phone"))
    laptop.send(event("on the laptop", anonymous_id="laptop"))

    log_in(phone, ada)
    log_in(laptop, ada)

    assert names_of(ada) == {"on the phone", "on the laptop"}


@pytest.mark.case("COOK-10")
def test_a_logout_makes_the_browser_nobodys(ada):
    browser = Browser(cioanonid="a-1")
    log_in(browser, ada)

    log_out(browser)

    assert browser.person_id == ""
    assert browser.anonymous_id not in {"", "a-1"}


def test_after_a_logout_nothing_more_is_that_persons(ada):
    browser = Browser(cioanonid="a-1")
    log_in(browser, ada)
    log_out(browser)

    browser.send(event("later", anonymous_id=browser.anonymous_id))

    assert Activity.objects.get(name="later").person is None
    assert names_of(ada) == set()


def test_a_logout_makes_the_browser_nobodys_though_the_site_identifies_who_leaves(ada):
    def note(*, request, **kwargs):
        identify_person(request, visits=3)

    browser = Browser(cioanonid="a-1")
    log_in(browser, ada)
    user_logged_out.connect(note)
    try:
        log_out(browser)
    finally:
        user_logged_out.disconnect(note)
    browser.send(event("later", anonymous_id=browser.anonymous_id))

    assert person_of(ada).attributes["visits"] == 3
    assert browser.person_id == ""
    assert Activity.objects.get(name="later").person is None


@pytest.mark.parametrize("logs_out", [True, False])
def test_nothing_crosses_over_to_who_logs_in_next_on_a_browser(ada, bob, logs_out):
    browser = Browser(cioanonid="a-1")
    browser.send(event("before ada", anonymous_id="a-1"))
    log_in(browser, ada)
    browser.send(event("as ada", anonymous_id=browser.anonymous_id, id=browser.person_id))
    if logs_out:
        log_out(browser)

    log_in(browser, bob)
    browser.send(event("as bob", anonymous_id=browser.anonymous_id, id=browser.person_id))

    assert names_of(ada) == {"before ada", "as ada"}
    assert names_of(bob) == {"as bob"}
    assert browser.anonymous_id != "a-1"


@pytest.mark.case("COOK-02")
def test_a_browser_that_only_claimed_to_be_another_starts_afresh_at_login(ada):
    browser = Browser(cioanonid="a-1", cioid="attacker")
    browser.send(identify("attacker", anonymous_id="a-1"))
    browser.send(event("as attacker", anonymous_id="a-1", id="attacker"))

    log_in(browser, ada)

    assert browser.person_id == str(ada.pk)
    assert browser.anonymous_id != "a-1"
    assert names_of(ada) == set()


def test_an_anonymous_browser_keeps_its_id_at_login(ada):
    browser = Browser()
    browser.get("/")
    minted = browser.anonymous_id

    log_in(browser, ada)

    assert browser.anonymous_id == minted


def test_logging_in_again_rotates_nothing(ada):
    browser = Browser(cioanonid="a-1")

    log_in(browser, ada)
    log_in(browser, ada)

    assert browser.anonymous_id == "a-1"


def test_what_stood_between_two_people_on_a_browser_is_nobodys(ada):
    started = datetime(2026, 11, 21, 12, tzinfo=UTC)
    browser = Browser(cioanonid="x")

    def at(second):
        return time_machine.travel(started + timedelta(seconds=second), tick=False)

    with at(1):
        browser.send(event("@1", anonymous_id="x"))
    with at(2):
        browser.send(identify("unproven", anonymous_id="x"))
    with at(3):
        browser.send(event("@3", anonymous_id="x"))
    with at(10):
        log_in(browser, ada)
        browser.send(event("@10", anonymous_id="x"))

    owners = {name: Activity.objects.get(name=name).person for name in ("@1", "@3", "@10")}
    assert owners == {
        "@1": Person.objects.get(user_id="unproven"),
        "@3": None,
        "@10": person_of(ada),
    }


def test_the_site_says_who_may_be_identified(ada, settings):
    configure(settings, MAY_IDENTIFY=lambda request, user: not user.username.startswith("a"))
    browser = Browser(cioanonid="a-1")

    log_in(browser, ada)
    browser.send(said(anonymous_id="a-1"))

    assert Person.objects.count() == 0
    assert browser.person_id == ""


def test_an_impersonator_is_told_by_the_request(ada, settings):
    configure(settings, MAY_IDENTIFY=lambda request, user: "hijack" not in request.session)
    browser = Browser(cioanonid="a-1")
    session = browser.session
    session["hijack"] = True
    session.save()

    log_in(browser, ada)

    assert Person.objects.count() == 0


def test_who_logs_in_and_cannot_be_identified_is_not_taken_for_whose_browser_it_was(
    ada, bob, settings
):
    browser = Browser(cioanonid="a-1")
    log_in(browser, bob)
    configure(settings, USER_ATTRIBUTES=lambda user: user.no_such_attribute)
    log_in(browser, ada)
    said_id = browser.person_id
    configure(settings, USER_ATTRIBUTES="identity_tracking.users.user_attributes")

    browser.send(event("as ada", anonymous_id=browser.anonymous_id, id=said_id))

    assert names_of(ada) == {"as ada"}
    assert names_of(bob) == set()


@pytest.mark.parametrize("hook", ["MAY_IDENTIFY", "USER_ID", "USER_ATTRIBUTES", "EXCLUDE"])
def test_a_broken_hook_stops_nobody_from_logging_in_or_out(ada, settings, hook, caplog):
    def broken(*args):
        raise RuntimeError(hook)

    configure(settings, **{hook: broken})
    browser = Browser(cioanonid="a-1")

    log_in(browser, ada)
    response = log_out(browser)

    assert response.status_code == 302
    assert hook in caplog.text


def test_switched_off_a_login_is_only_a_login(ada, settings):
    configure(settings, ENABLED=False)
    browser = Browser(cioanonid="a-1")

    log_in(browser, ada)
    log_out(browser)

    assert Person.objects.count() == 0
    assert browser.anonymous_id == "a-1"


def test_the_tests_own_login_works_without_the_middleware(ada):
    client = Client()

    assert client.login(username="ada", password="secret")
    client.force_login(ada)

    assert person_of(ada).activities.count() == 2


def test_a_login_without_request_is_no_error(ada):
    user_logged_in.send(User, request=None, user=ada)
    user_logged_out.send(User, request=None, user=ada)

    assert Person.objects.count() == 0


def test_a_session_that_was_there_before_the_app_is_identified_once(ada):
    browser = Browser(cioanonid="a-1")
    browser.force_login(ada)
    session = browser.session
    del session["identity_tracking_identified"]
    session.save()

    for _ in range(3):
        browser.send(said(anonymous_id="a-1"))

    assert person_of(ada).activities.filter(type="identify").count() == 2
    assert browser.session["identity_tracking_identified"] == str(ada.pk)
    assert browser.person_id == str(ada.pk)


def test_a_session_is_identified_by_an_answer_that_may_tell_the_browser(ada, monkeypatch):
    browser = Browser(cioanonid="a-1")
    browser.force_login(ada)
    session = browser.session
    del session["identity_tracking_identified"]
    session.save()
    with monkeypatch.context() as slow:
        slow.setattr("identity_tracking.visitor.PROMPT", 0)
        browser.send(said(anonymous_id="a-1"))
    assert browser.person_id == ""

    browser.send(said(anonymous_id="a-1"))

    assert browser.person_id == str(ada.pk)


def test_a_login_in_the_midst_of_a_request_counts_at_once(ada, bob):
    request = RequestFactory().get("/")
    request.session = SessionStore()

    login(request, ada)
    track(request, "as ada")
    login(request, bob)
    track(request, "as bob")
    logout(request)

    assert names_of(ada) == {"as ada"}
    assert names_of(bob) == {"as bob"}


def test_who_logs_in_did_the_rest_of_the_request_whatever_the_cookie_says(ada):
    request = RequestFactory().get("/")
    request.session = SessionStore()
    request.COOKIES = {"_cioanonid": "a-1", "_cioid": "somebody"}
    request.visitor = Visitor(request)  # type: ignore[attr-defined]

    login(request, ada)
    track(request, "as ada")

    activity = Activity.objects.get(name="as ada")
    assert activity.person == person_of(ada)
    assert activity.trusted


def test_a_proven_person_and_a_claimed_one_are_two(ada, bob):
    browser = Browser(cioanonid="a-1")
    log_in(browser, bob)
    log_in(browser, ada)
    browser.cookies["_cioid"] = str(bob.pk)

    page = browser.get("/who/").content.decode()

    assert f"Claimed: <b>{person_of(bob).cio_id}</b>" in page
    assert f"Proven: <i>{person_of(ada).cio_id}</i>" in page


@pytest.mark.case("COOK-05")
def test_a_cookie_proves_nobody(ada):
    log_in(Browser(), ada)

    page = Browser(cioid=str(ada.pk)).get("/who/").content.decode()

    assert "Proven: <i></i>" in page
    assert f"Claimed: <b>{person_of(ada).cio_id}</b>" in page
