from __future__ import annotations

import itertools

import pytest
from django.contrib.auth.models import User

from identity_tracking.models import Activity, FailedEvent, Identifier, Person
from tests.web import Browser, configure, identify, said, track

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada():
    return User.objects.create_user("ada", "ada@example.com", "secret", first_name="Ada")


def logged_in(user):
    """Return the browser of somebody who logged in before the app could see it."""
    browser = Browser()
    browser.force_login(user)
    session = browser.session
    session.pop("identity_tracking_identified", None)
    session.save()
    Person.objects.all().delete()
    Activity.objects.all().delete()
    Identifier.objects.all().delete()
    return browser


def person_of(user):
    return Person.objects.get(user_id=str(user.pk))


def make_lead(email):
    Browser().send(identify(email=email))
    return Person.objects.get(email=email)


def test_without_a_session_an_identify_is_a_claim():
    Browser().send(identify("42", email="ada@example.com", anonymous_id="a-1"))

    assert not Activity.objects.get().trusted


def test_the_sessions_user_is_proven(ada):
    browser = logged_in(ada)

    browser.send(identify(str(ada.pk), anonymous_id="a-1", data={"plan": "pro"}))

    activity = Activity.objects.get(type="identify", properties__plan="pro")
    assert activity.trusted
    assert activity.person == person_of(ada)


def test_a_message_without_id_is_the_sessions_users(ada):
    logged_in(ada).send(said(anonymous_id="a-1"))

    assert Activity.objects.get(type="page").person == person_of(ada)


def test_a_page_that_names_another_than_the_session_is_believed_but_not_trusted(ada):
    logged_in(ada).send(identify("somebody", anonymous_id="a-1"))

    activity = Activity.objects.get()
    assert activity.person == Person.objects.get(user_id="somebody")
    assert not activity.trusted


def test_who_was_logged_in_before_the_app_came_is_identified_once_a_session(ada):
    browser = logged_in(ada)

    browser.send(said(anonymous_id="a-1"))
    browser.send(said(anonymous_id="a-1"))

    person = person_of(ada)
    assert person.attributes["first_name"] == "Ada"
    assert Activity.objects.filter(type="identify").count() == 1
    assert browser.person_id == str(ada.pk)


@pytest.mark.parametrize("make", [said, track])
@pytest.mark.parametrize("logs_in", [True, False])
def test_a_message_that_is_repeated_across_a_login_or_logout_is_kept_once(ada, make, logs_in):
    message = make(anonymous_id="a-1")
    attempts = [Browser(), logged_in(ada)] if logs_in else [logged_in(ada), Browser()]

    for browser in attempts:
        browser.send(message, retry=1)

    assert Activity.objects.filter(message_id=message["message_id"]).count() == 1


def test_who_could_not_be_identified_is_tried_again(ada, settings):
    browser = logged_in(ada)
    configure(settings, USER_ATTRIBUTES=lambda user: user.no_such_attribute)
    browser.send(said(anonymous_id="a-1"))
    configure(settings, USER_ATTRIBUTES="identity_tracking.users.user_attributes")

    browser.send(said(anonymous_id="a-1"))

    assert person_of(ada).attributes["first_name"] == "Ada"


def test_a_session_is_not_read_where_every_message_names_its_person(ada):
    browser = logged_in(ada)

    browser.send(said(id="somebody", anonymous_id="a-1"))

    assert not Person.objects.filter(user_id=str(ada.pk)).exists()


def test_the_email_beside_a_proven_id_is_a_claim_unless_it_is_verified(ada, settings):
    make_lead("ada@example.com")
    logged = logged_in(ada)

    logged.send(identify(str(ada.pk), email="ada@example.com", anonymous_id="a-1"))
    soft = [claim.firm for claim in Identifier.objects.get(kind=2).claims.all()]
    configure(settings, EMAIL_VERIFIED=lambda user: True)
    logged.send(identify(str(ada.pk), email="ada@example.com", anonymous_id="a-1"))
    claims = Identifier.objects.get(kind=2).claims.order_by("pk")

    assert set(soft) == {False}
    assert {claim.firm for claim in claims} == {False, True}


def test_only_the_users_own_email_can_be_verified(ada, settings):
    configure(settings, EMAIL_VERIFIED=lambda user: True)
    browser = logged_in(ada)

    browser.send(identify(str(ada.pk), email="victim@example.com"))

    claim = Identifier.objects.get(value="victim@example.com").claims.get()
    assert not claim.firm


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("x", "invalid_message"),
        ([], "invalid_message"),
        ({}, "invalid_message"),
        (said(type=1), "invalid_message"),
        (said("group", anonymous_id="a"), "unknown_type"),
        (said("alias", anonymous_id="a"), "unknown_type"),
        (said(), "no_identifier"),
        (said(anonymous_id="null"), "no_identifier"),
        (identify(anonymous_id="a"), "no_identifier"),
        (track("", anonymous_id="a"), "name_missing"),
        (track({}, anonymous_id="a"), "not_text"),
        (said(anonymous_id="a", data=[]), "not_an_object"),
        (said(anonymous_id="a", time="yesterday"), "invalid_timestamp"),
        (said(anonymous_id="a", time=1e300), "invalid_timestamp"),
        (said(anonymous_id="a", time=[]), "invalid_timestamp"),
        (said(anonymous_id="a", message_id="x" * 101), "message_id_too_long"),
        (said(anonymous_id="a", data={"a": "\0"}), "invalid_text"),
        (said(anonymous_id="a", data={"a": "\ud800"}), "invalid_text"),
        (said(anonymous_id="a", data={"k" * 151: 1}), "key_too_long"),
        (said(anonymous_id="a", data={str(n): 1 for n in range(301)}), "too_many_keys"),
        (said(anonymous_id="a", data={"a": 2**63}), "number_too_large"),
        (said(anonymous_id="a", data={"a": "x" * 40_000}), "too_large"),
        (identify("1", data={"cio_relationships": 1}), "invalid_relationships"),
        (
            identify("1", data={"cio_relationships": [{"relationships": [{"identifiers": 1}]}]}),
            "invalid_object",
        ),
    ],
    ids=itertools.count(),
)
def test_a_message_that_cannot_be_accepted_is_told_and_kept(message, reason):
    response = Browser().send(message)

    assert response.status_code == 400
    assert [error["code"] for error in response.json()["errors"]] == [reason]
    assert FailedEvent.objects.get().code == reason
    assert Activity.objects.count() == 0


def test_one_bad_message_does_not_spoil_the_others():
    response = Browser().send(track(anonymous_id="a-1"), track(""), track(anonymous_id="a-1"))

    assert response.status_code == 200
    assert response.json()["success"] is True
    assert [error["index"] for error in response.json()["errors"]] == [1]
    assert (Activity.objects.count(), FailedEvent.objects.count()) == (2, 1)
