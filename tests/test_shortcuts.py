from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.http import HttpResponse
from django.test import RequestFactory
from django.utils.translation import gettext_lazy
from rest_framework.request import Request

from identity_tracking import group, identify, page, relate, reset, track, unrelate
from identity_tracking.exceptions import IdentityTrackingError, InvalidIdentifier, InvalidMessage
from identity_tracking.messages import Outcome
from identity_tracking.middleware import IdentityTrackingMiddleware
from identity_tracking.models import Activity, Claim, FailedEvent, Person, TrackedObject
from tests.web import FIREFOX, configure

pytestmark = pytest.mark.django_db


def request_of(user=None, path="/cart/?utm_source=mail", **cookies):
    """Return a request as a view gets it, behind the middleware."""
    request = RequestFactory(headers={"user-agent": FIREFOX}).get(path)
    request.COOKIES = {f"_{name}": value for name, value in cookies.items()}
    if user:
        request.user = user
    IdentityTrackingMiddleware(lambda request: HttpResponse())(request)
    return request


def cookies_set(request):
    response = HttpResponse()
    request.visitor.remember(response)
    return {name: cookie.value for name, cookie in response.cookies.items()}


@pytest.fixture
def ada():
    return User.objects.create_user("ada", "ada@example.com", first_name="Ada")


@pytest.fixture
def person():
    return identify(None, id="42", email="ada@example.com", plan="pro")


# identify


def test_identify_makes_a_person_with_attributes_and_remembers_them():
    request = request_of(cioanonid="a-1")

    person = identify(request, id="42", email="Ada@Example.com", plan="pro")

    assert isinstance(person, Person)
    assert (person.user_id, person.email) == ("42", "ada@example.com")
    assert person.attributes == {"plan": "pro"}
    assert cookies_set(request) == {"_cioid": "42"}


def test_identify_makes_the_browsers_history_the_persons():
    track(request_of(cioanonid="a-1"), "looked")

    person = identify(request_of(cioanonid="a-1"), id="42")

    assert person is not None
    assert {activity.name for activity in person.activities} == {"looked", ""}


def test_identify_overwrites_what_it_names_and_removes_what_is_none(person):
    identify(None, id="42", plan="free", city="Graz")
    identify(person, plan=None)

    person.refresh_from_db()
    assert person.attributes == {"city": "Graz"}


def test_identify_by_email_alone_makes_a_lead():
    person = identify(request_of(cioanonid="a-1"), email="ada@example.com")

    assert person is not None
    assert person.is_lead


def test_identify_alone_is_the_sessions_user(ada):
    person = identify(request_of(ada, cioanonid="a-1"), plan="pro")

    assert person is not None
    assert (person.user_id, person.email) == (str(ada.pk), "ada@example.com")
    assert person.attributes == {"first_name": "Ada", "plan": "pro"}
    assert person.created_at == ada.date_joined.replace(microsecond=0)


def test_identify_alone_is_nobody_where_nobody_is_logged_in():
    assert identify(request_of(cioanonid="a-1", cioid="42"), plan="pro") is None
    assert Person.objects.count() == 0


def test_the_settings_say_who_a_user_is_and_what_is_known_of_them(ada, settings):
    configure(
        settings,
        USER_ID=lambda user: f"user-{user.username}",
        USER_ATTRIBUTES=lambda user: {"email": "other@example.com", "team": "red"},
    )

    person = identify(request_of(ada))

    assert person is not None
    assert (person.user_id, person.email) == ("user-ada", "other@example.com")
    assert person.attributes == {"team": "red"}


@pytest.mark.parametrize("verified", [True, False])
def test_the_users_email_is_a_firm_claim_only_where_it_is_verified(ada, settings, verified):
    configure(settings, EMAIL_VERIFIED=lambda user: verified)

    identify(request_of(ada))

    assert Claim.objects.get(weak__value="ada@example.com").firm is verified


@pytest.mark.parametrize("verified", [True, False])
@pytest.mark.parametrize("user_id", [None, lambda user: user.email])
def test_a_user_without_an_id_is_proven_by_a_verified_email_alone(ada, settings, user_id, verified):
    configure(settings, USER_ID=user_id, EMAIL_VERIFIED=lambda user: verified)

    person = identify(request_of(ada))

    assert person is not None
    assert person.email == "ada@example.com"
    assert Activity.objects.get().trusted is verified
    assert person.anchor.known is verified


@pytest.mark.parametrize("user_id", [None, lambda user: "0"])
def test_a_user_whom_nothing_names_is_nobody(ada, person, settings, user_id):
    configure(settings, USER_ID=user_id, USER_ATTRIBUTES=lambda user: {"plan": "free"})

    assert identify(request_of(ada, cioanonid="a-1", cioid="42")) is None
    assert Activity.objects.count() == 1
    person.refresh_from_db()
    assert person.attributes == {"plan": "pro"}


def test_identify_gives_the_browser_a_new_anonymous_id_if_it_was_somebody_elses():
    identify(request_of(cioanonid="a-1"), id="42")
    request = request_of(cioanonid="a-1", cioid="42")

    identify(request, id="43")

    cookies = cookies_set(request)
    assert cookies["_cioid"] == "43"
    assert cookies["_cioanonid"] not in {"", "a-1"}


def test_identify_as_the_same_person_rotates_nothing():
    identify(request_of(cioanonid="a-1"), id="42")
    request = request_of(cioanonid="a-1", cioid="42")

    identify(request, id="42", email="ada@example.com")

    assert cookies_set(request) == {"_cioid": "42"}


def test_what_somebody_typed_is_a_claim(person):
    identify(request_of(), email="ada@example.com", plan="free", trusted=False)

    person.refresh_from_db()
    assert person.attributes["plan"] == "pro"


def test_a_cio_id_names_its_person(person):
    again = identify(request_of(cioanonid="a-1"), id=f"cio_{person.cio_id}", city="Graz")

    assert again == person
    assert person.activities.count() == 2


# track and page


def test_track_keeps_name_properties_and_where_it_happened():
    assert track(request_of(cioanonid="a-1"), "added_to_cart", {"sku": "A1"}) is Outcome.STORED

    activity = Activity.objects.get()
    assert (activity.name, activity.properties) == ("added_to_cart", {"sku": "A1"})
    assert activity.context["page"]["url"] == "http://testserver/cart/?utm_source=mail"
    assert activity.context["ip"] == "127.0.0.0"


def test_an_event_of_a_request_is_the_visitors():
    request = request_of()

    track(request, "looked")

    assert Activity.objects.get().identifier.value == request.visitor.anonymous_id


@pytest.mark.parametrize("cookies", [{}, {"cioid": "1"}])
def test_an_event_of_a_logged_in_request_is_the_users_and_proven(ada, cookies, settings):
    configure(settings, USER_ID=lambda user: 1)

    track(request_of(ada, cioanonid="a-1", **cookies), "looked")

    activity = Activity.objects.get()
    assert activity.identifier.value == "1"
    assert activity.trusted


@pytest.mark.parametrize("logged_in", [True, False])
def test_an_event_of_somebody_whom_the_page_named_is_theirs_but_not_proven(ada, logged_in):
    track(request_of(ada if logged_in else None, cioanonid="a-1", cioid="page-42"), "looked")

    activity = Activity.objects.get()
    assert activity.identifier.value == "page-42"
    assert not activity.trusted


def test_who_was_just_identified_did_the_rest_of_the_request():
    identify(request_of(cioanonid="a-1"), id="41")
    request = request_of(cioanonid="a-1", cioid="41")

    identify(request, id="42")
    track(request, "signed_up")

    assert Activity.objects.get(name="signed_up").person == Person.objects.get(user_id="42")
    assert request.visitor.claimed_person == Person.objects.get(user_id="42")


def test_an_email_that_no_cookie_would_tell_from_an_id_is_remembered_by_its_person():
    request = request_of(cioanonid="a-1")

    person = identify(request, email="ada@intranet")
    track(request, "signed_up")

    assert person is not None
    assert cookies_set(request)["_cioid"] == f"cio_{person.cio_id}"
    assert Activity.objects.get(name="signed_up").person == person


def test_page_is_the_requests_own_unless_it_is_named():
    page(request_of(cioanonid="a-1"))
    page(request_of(cioanonid="a-1"), "Checkout", {"step": 2})

    assert set(Activity.objects.values_list("name", flat=True)) == {"/cart/", "Checkout"}


def test_without_the_middleware_no_id_is_made_up_that_no_cookie_would_keep():
    request = RequestFactory().get("/")

    assert track(request, "looked") is None
    assert FailedEvent.objects.get().code == "invalid_identifier"


def test_a_request_of_rest_framework_works_too():
    request = Request(request_of(cioanonid="a-1"))

    person = identify(request, id="42")
    track(request, "looked")

    assert person is not None
    assert person.activities.count() == 2


# Objects


def test_relate_and_unrelate(person):
    relate(person, "company", "acme", role="admin")
    relate(person, "company", 7)
    unrelate(person, "company", "acme")

    assert [str(row.object) for row in person.relationships] == ["company: 7"]


def test_a_group_says_what_is_known_of_it(person):
    group(person, "company", "acme", {"plan": "pro", "city": "Graz"})
    group(None, "company", "acme", {"city": None}, email="bob@example.com")

    acme = TrackedObject.objects.get()
    assert acme.attributes == {"plan": "pro"}
    assert acme.relationships.count() == 2
    assert person.relationships.get().attributes == {}


def test_relate_again_overwrites_what_it_names_while_the_rest_stays(person):
    relate(person, "company", "acme", role="admin", since=2020)
    relate(person, "company", "acme", role="owner")

    assert person.relationships.get().attributes == {"role": "owner", "since": 2020}


def test_a_visitors_relationships_go_with_them():
    relate(request_of(cioanonid="a-1"), "course", "42")

    person = identify(request_of(cioanonid="a-1"), id="42")

    assert person is not None
    assert person.relationships.get().object.object_id == "42"


# Options


def test_a_person_serves_in_place_of_a_request(person):
    track(person, "renewed")
    page(person, "Home")
    identify(person, city="Graz")

    assert person.activities.filter(trusted=True).count() == 4


def test_a_lead_serves_too():
    lead = identify(None, email="ada@example.com")

    track(lead, "opened")
    identify(lead, id="42")

    assert Person.objects.find(email="ada@example.com") == Person.objects.find(id="42")


@pytest.mark.parametrize(
    "timestamp",
    [1_760_000_000, 1_760_000_000.0, datetime.fromtimestamp(1_760_000_000, UTC)],
    ids=["int", "float", "datetime"],
)
def test_a_call_may_say_when_it_was(timestamp):
    track(None, "renewed", {"plan": "pro"}, id="42", message_id="m-1", timestamp=timestamp)

    activity = Activity.objects.get()
    assert activity.timestamp == datetime.fromtimestamp(1_760_000_000, UTC)
    assert activity.message_id == "m-1"


@time_machine.travel("2026-11-21T12:00:00Z", tick=False)
def test_nothing_happens_in_the_future():
    track(None, "renewed", id="42", timestamp=4_102_444_800)

    assert Activity.objects.get().timestamp == datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_a_repeated_message_is_ignored(person):
    first = track(person, "renewed", message_id="m-1")
    second = track(person, "renewed again", message_id="m-1")

    assert (first, second) == (Outcome.STORED, Outcome.DUPLICATE)
    assert Activity.objects.get(message_id="m-1").name == "renewed"


def test_a_call_may_say_who_it_was_beside_a_request(person):
    track(request_of(cioanonid="a-1"), "called", id="42")
    track(request_of(cioanonid="a-1"), "called", email="ada@example.com")
    track(None, "called", anonymous_id="a-9")

    assert person.activities.filter(name="called").count() == 2
    assert Activity.objects.filter(identifier__value="a-9").count() == 1


def test_values_of_python_become_json(person):
    track(
        person,
        "bought",
        {
            "at": datetime(2026, 1, 2, tzinfo=UTC),
            "on": date(2026, 1, 2),
            "price": Decimal("9.90"),
            "id": UUID(int=1),
            "label": gettext_lazy("Home"),
            "tags": {"x"},
        },
    )

    assert Activity.objects.get(name="bought").properties == {
        "at": "2026-01-02T00:00:00Z",
        "on": "2026-01-02",
        "price": "9.90",
        "id": "00000000-0000-0000-0000-000000000001",
        "label": "Home",
        "tags": ["x"],
    }


# reset


def test_reset_makes_the_browser_nobodys(ada):
    request = request_of(ada, cioanonid="a-1", cioid="42")

    reset(request)

    cookies = cookies_set(request)
    assert cookies["_cioid"] == ""
    assert cookies["_cioanonid"] not in {"", "a-1"}
    assert request.visitor.claimed_person is None


def test_what_follows_a_reset_is_a_new_visitors():
    request = request_of(cioanonid="a-1", cioid="42")

    reset(request)
    track(request, "looked")

    assert Activity.objects.get().identifier.value == request.visitor.anonymous_id != "a-1"


# What fails


class Strange:
    def __str__(self):
        raise RuntimeError("strange")


def circle():
    made: dict[str, object] = {}
    made["self"] = made
    return made


BAD = [
    ("", {}, {}, "name_missing"),
    ({}, {}, {}, "not_text"),
    ("x\0", {}, {}, "invalid_text"),
    ("x", [1], {}, "not_an_object"),
    ("x", "abc", {}, "not_an_object"),
    ("x", {"a": "\0"}, {}, "invalid_text"),
    ("x", {"a": "\ud800"}, {}, "invalid_text"),
    ("x", {"a": float("nan")}, {}, "number_not_finite"),
    ("x", {"a": object()}, {}, "not_json"),
    ("x", {(1, 2): object()}, {}, "not_json"),
    ("x", circle(), {}, "too_deep"),
    ("x", {}, {"timestamp": "yesterday"}, "invalid_timestamp"),
    ("x", {}, {"timestamp": datetime(2026, 1, 1)}, "invalid_timestamp"),  # noqa: DTZ001
    ("x", {}, {"message_id": "m" * 101}, "message_id_too_long"),
]
each_bad = pytest.mark.parametrize(
    ("name", "properties", "options", "code"), BAD, ids=range(len(BAD))
)


@each_bad
def test_with_a_request_what_cannot_be_accepted_is_kept_and_logged(
    name, properties, options, code, caplog
):
    assert track(request_of(cioanonid="a-1"), name, properties, **options) is None

    assert FailedEvent.objects.get().code == code
    assert code in caplog.text


@each_bad
def test_without_one_it_raises(name, properties, options, code):
    with pytest.raises(InvalidMessage) as raised:
        track(None, name, properties, id="42", **options)

    assert raised.value.code == code
    assert FailedEvent.objects.count() == 0


@pytest.mark.parametrize(
    "who", [{}, {"id": ""}, {"id": "null"}, {"email": "nobody"}, {"id": "x\0"}]
)
def test_who_names_nobody_is_refused(who):
    with pytest.raises(InvalidIdentifier):
        track(None, "looked", **who)


@pytest.mark.parametrize("properties", [{"a": Strange()}, {Strange(): 1}], ids=["value", "key"])
def test_with_a_request_nothing_at_all_raises(properties, caplog):
    assert track(request_of(cioanonid="a-1"), "x", properties) is None
    assert caplog.records


@pytest.mark.parametrize(
    "hook", ["USER_ID", "USER_ATTRIBUTES", "EMAIL_VERIFIED", "MAY_IDENTIFY", "EXCLUDE"]
)
def test_a_broken_hook_is_logged_and_not_raised(hook, ada, settings, caplog):
    def broken(*args):
        raise RuntimeError(hook)

    configure(settings, **{hook: broken})

    assert identify(request_of(ada)) is None
    assert hook in caplog.text


def test_a_path_that_no_database_can_keep_is_refused():
    assert page(request_of(path="/a%00b/", cioanonid="a-1")) is None
    assert FailedEvent.objects.get().code == "invalid_text"


@pytest.mark.parametrize("who", ["request", "person"])
@pytest.mark.django_db(transaction=True)
def test_a_database_that_fails_is_logged_and_not_raised(who, person, caplog):
    called = request_of(cioanonid="a-1") if who == "request" else person
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE identity_tracking_activity RENAME TO elsewhere")
    try:
        outcome = track(called, "looked")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE elsewhere RENAME TO identity_tracking_activity")

    assert outcome is None
    assert "elsewhere" in caplog.text or "identity_tracking_activity" in caplog.text


def test_switched_off_nothing_is_recorded_and_nothing_raises(settings, person):
    configure(settings, ENABLED=False)

    assert track(request_of(cioanonid="a-1"), "looked") is None
    assert track(None, "looked", id="42") is None
    assert identify(person, plan="free") is None
    assert Activity.objects.count() == 1


def test_a_bot_is_not_recorded():
    request = request_of(cioanonid="a-1")
    request.META["HTTP_USER_AGENT"] = "Googlebot/2.1"

    assert track(request, "looked") is None
    assert Activity.objects.count() == 0


# Transactions


@pytest.mark.django_db(transaction=True)
def test_a_call_goes_with_its_callers_transaction(person):
    with transaction.atomic():
        track(person, "ordered")
        seen = person.activities.filter(name="ordered").exists()
        transaction.set_rollback(True)

    assert seen

    assert not Activity.objects.filter(name="ordered").exists()


@pytest.mark.django_db(transaction=True)
def test_a_refused_call_leaves_its_callers_transaction_whole(person, ada):
    with transaction.atomic():
        ada.first_name = "Augusta"
        ada.save()
        track(person, "ordered", {"a": "\0"})
        track(person, "paid")

    ada.refresh_from_db()
    assert ada.first_name == "Augusta"
    assert Activity.objects.filter(name="paid").exists()
    assert FailedEvent.objects.count() == 1


def test_what_it_raises_is_of_one_family():
    assert issubclass(InvalidMessage, IdentityTrackingError)
    assert issubclass(InvalidIdentifier, InvalidMessage)
