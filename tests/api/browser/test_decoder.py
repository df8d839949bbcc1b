from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User

from identity_tracking import signatures
from identity_tracking.identifiers import names
from identity_tracking.models import Activity, FailedEvent, Identifier, Person
from tests.web import Browser, configure, identify, said, track

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)

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


def signed_as(**who):
    """Return the site_id that a page signed for ``who`` posts."""
    return f"shop:{signatures.sign(names(**who))}"


def firm_claims(email):
    return Identifier.objects.get(value=email).claims.filter(firm=True).count()


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


@pytest.mark.parametrize("said_by", [{}, {"id": "grace@example.com"}], ids=["nobody", "email"])
def test_what_was_left_from_before_the_browser_was_handed_on_is_not_the_sessions_users(
    ada, said_by
):
    browser = logged_in(ada)
    browser.cookies["_cioanonid"] = "a-2"
    browser.send(identify(str(ada.pk), anonymous_id="a-2"))

    hour_ago = 1000 * (time.time() - 3600)
    browser.send(track("left", anonymous_id="a-1", time=hour_ago, **said_by))
    browser.send(track("done", anonymous_id="a-1", **said_by))

    assert Activity.objects.get(name="left").person != person_of(ada)
    assert Activity.objects.get(name="done").person == person_of(ada)


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


def test_a_signature_proves_the_id_where_there_is_no_session():
    page = signed_as(id="42")

    Browser().send(identify("42", anonymous_id="a-1", data={"plan": "pro"}), site_id=page)

    activity = Activity.objects.get()
    assert activity.trusted
    assert activity.source == "shop"
    assert activity.person == Person.objects.get(user_id="42")


def test_a_signed_id_is_compared_as_it_is_kept():
    Browser().send(identify(" 42 "), identify(42), site_id=signed_as(id="42"))

    assert [activity.trusted for activity in Activity.objects.all()] == [True, True]


@pytest.mark.parametrize(
    "message",
    [
        identify("43"),
        identify("ada@example.com"),
        identify("cio_42"),
        identify(email="ada@example.com"),
        said(id="42", anonymous_id="a-1"),
        track(id="42"),
    ],
    ids=itertools.count(),
)
def test_a_signature_proves_only_what_an_identify_says_under_its_own_id(message):
    Browser().send(message, site_id=signed_as(id="42", email="ada@example.com"))

    assert [activity.trusted for activity in Activity.objects.all()] in ([False], [])


@pytest.mark.parametrize(
    ("email", "firm"), [("Ada@Example.com", 1), ("victim@example.com", 0)], ids=str
)
def test_a_signature_proves_its_own_email_alone(email, firm):
    page = signed_as(id="42", email="ada@example.com")

    Browser().send(identify("42", email=email), site_id=page)

    assert firm_claims(email.lower()) == firm
    assert Activity.objects.get().trusted


def test_a_signature_without_an_email_proves_none():
    Browser().send(identify("42", email="ada@example.com"), site_id=signed_as(id="42"))

    assert firm_claims("ada@example.com") == 0


def test_a_signed_email_is_not_lent_to_the_sessions_user(ada, settings):
    configure(settings, EMAIL_VERIFIED=lambda user: True)
    page = signed_as(id="somebody", email="bob@example.com")

    logged_in(ada).send(identify(str(ada.pk), email="bob@example.com"), site_id=page)

    assert Activity.objects.get(properties={}).trusted
    assert firm_claims("bob@example.com") == 0


def test_a_sessions_email_is_not_lent_to_a_signed_id(ada, settings):
    configure(settings, EMAIL_VERIFIED=lambda user: True)
    page = signed_as(id="somebody")

    logged_in(ada).send(identify("somebody", email="ada@example.com"), site_id=page)

    assert Activity.objects.get().trusted
    assert firm_claims("ada@example.com") == 0


@pytest.mark.case("SPOOF-12")
def test_an_expired_signature_is_none_and_no_error():
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False) as clock:
        page = signed_as(id="42")
        clock.shift(86_401)

        response = Browser().send(identify("42"), site_id=page)

    assert response.json() == {"success": True}
    assert not Activity.objects.get().trusted


@pytest.mark.parametrize("fallbacks", [True, False])
def test_a_signature_outlives_its_key_where_that_is_a_fallback(settings, fallbacks):
    page = signed_as(id="42")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if fallbacks else []
    settings.SECRET_KEY = "another"

    Browser().send(identify("42"), site_id=page)

    assert Activity.objects.get().trusted is fallbacks


@pytest.mark.parametrize(
    "site_id", [None, 7, [], {}, ["shop"], "", ":", "other", "other:x", "shop "]
)
def test_another_site_is_unknown_signed_or_not(site_id):
    response = Browser().send(said(anonymous_id="a-1"), site_id=site_id)

    assert response.status_code == 401
    assert Activity.objects.count() == 0


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


@pytest.mark.parametrize("type", ["identify", "sidentify"])
@pytest.mark.parametrize(
    "data",
    [{"id": 42, "email": "ada@example.com"}, {"id": "42"}, {"id": "", "email": None}, {}],
    ids=["both", "an id", "nothing", "none"],
)
def test_who_is_identified_may_stand_among_what_it_is_called_with(type, data):
    beside = {"id": "42", "email": "ada@example.com"}

    Browser().send(said(type, anonymous_id="a-1", **beside, data={**data, "plan": "pro"}))

    person = Person.objects.get(user_id="42")
    assert person.attributes == {"plan": "pro"}
    assert person.email == "ada@example.com"
    assert Activity.objects.get().person == person


def test_what_an_identify_is_called_with_goes_before_what_the_cookie_says():
    Browser().send(said("identify", id="ada@example.com", data={"id": "42"}))

    assert Person.objects.get().user_id == "42"


@pytest.mark.parametrize("typed", ["42", " 43", 44, "ada at example.com"])
def test_what_is_typed_for_an_email_is_no_id(typed):
    said_id = str(typed).strip()  # as the script remembers it

    Browser().send(said("identify", id=said_id, anonymous_id="a-1", data={"email": typed}))

    assert FailedEvent.objects.get().code == "no_identifier"
    assert not Person.objects.exists()


def test_an_email_without_a_domain_is_one_person_by_either_name():
    mine = {"id": "ada@intranet", "anonymous_id": "a-1"}

    Browser().send(said("identify", **mine, data={"email": "ada@intranet"}), track("seen", **mine))

    assert Person.objects.standing().get().activities.count() == 2


@pytest.mark.parametrize(
    ("raw", "read", "meant"),
    [
        ("ada+news@shop.test", "ada news@shop.test", "ada+news@shop.test"),
        ("a&b", "a", "a&b"),
        ("a%20b", "a b", "a b"),
        ("7", "8", "8"),
    ],
)
def test_an_id_that_another_script_wrote_as_it_is_is_read_as_it_was_meant(raw, read, meant):
    Browser(cioid=raw).send(track("seen", anonymous_id="a-1", id=read))

    assert Activity.objects.get().identifier.value == meant


def test_an_events_id_and_email_are_its_own():
    Browser().send(track(anonymous_id="a-1", data={"id": "sku-1", "email": "x"}))

    assert Activity.objects.get().properties == {"id": "sku-1", "email": "x"}
    assert not Person.objects.exists()


def test_a_page_may_be_named_by_its_url():
    Browser().send(said(anonymous_id="a-1", name="https://shop.example/prices/?secret=1"))

    activity = Activity.objects.get()
    assert (activity.name, activity.context["page"]["url"]) == (
        "/prices/",
        "https://shop.example/prices/",
    )


@pytest.mark.parametrize("name", ["android-app://shop/home", "Search: http://shop.example"])
def test_a_name_that_is_no_address_stays_a_name(name):
    Browser().send(said(anonymous_id="a-1", name=name))

    activity = Activity.objects.get()
    assert (activity.name, activity.context["page"]["path"]) == (name, "/")


def test_a_clock_that_says_1970_is_corrected_as_any_other():
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False):
        Browser().send(track(anonymous_id="a-1", time=1_000_000), sent_at=1_060_000)

    activity = Activity.objects.get()
    assert activity.received_at - activity.timestamp == timedelta(minutes=1)


def milliseconds(moment):
    return int(moment.timestamp() * 1_000)


@pytest.mark.parametrize("wrong", [-1_500, 0, 1_500], ids=["slow", "right", "fast"])
def test_a_call_whose_request_was_slow_is_not_dated_after_the_next_one(wrong):
    began, browser = milliseconds(NOON) + wrong, Browser()
    with time_machine.travel(NOON + timedelta(milliseconds=400), tick=False):
        browser.send(identify(id="42", data={"plan": "free"}, time=began), sent_at=began)
    with time_machine.travel(NOON + timedelta(milliseconds=480), tick=False):
        browser.send(identify(id="42", data={"plan": "pro"}, time=began + 100), sent_at=began + 450)

    assert Person.objects.get().attributes == {"plan": "pro"}


@pytest.mark.parametrize("wrong", [timedelta(seconds=-2), timedelta(days=-1), timedelta(hours=1)])
def test_a_clock_that_is_wrong_is_corrected(wrong):
    called, sent = NOON + wrong, NOON + wrong + timedelta(seconds=30)
    with time_machine.travel(NOON + timedelta(seconds=30), tick=False):
        Browser().send(
            track(anonymous_id="a-1", time=milliseconds(called)), sent_at=milliseconds(sent)
        )

    assert Activity.objects.get().timestamp == NOON


def test_calls_of_one_millisecond_count_in_the_order_in_which_they_were_made():
    plans = ["a", "b", "c", "d", "e", "f"]
    calls = [
        identify(id="42", data={"plan": plan}, message_id=f"m-{-at}", time=1_763_719_200_000)
        for at, plan in enumerate(plans)
    ]

    Browser().send(*calls)

    assert Person.objects.get().attributes == {"plan": "f"}
    times = Activity.objects.order_by("timestamp").values_list("properties__plan", "timestamp")
    assert [plan for plan, _ in times] == plans
    assert times[5][1] - times[0][1] == timedelta(microseconds=5)


@pytest.mark.parametrize("claim", [said("sidentify", id="42"), track("_cio_form", id="42")])
def test_of_claims_by_any_name_there_are_100_in_a_request(claim):
    response = Browser().send(*[claim] * 101)

    assert response.status_code == 413
