from __future__ import annotations

import json

import pytest

from identity_tracking import visitor
from identity_tracking.models import Activity, Conflict, FailedEvent, Person
from tests.web import ENDPOINT, Browser, configure, identify, said, track

pytestmark = pytest.mark.django_db

SUCCESS = b'{"success":true}'


def make_person(id, **fields):
    Browser().send(identify(id, **fields))
    return Person.objects.get(user_id=id)


def test_a_page_view_of_a_visitor_is_kept():
    response = Browser().send(said(anonymous_id="a-1", title="Home", url="http://testserver/?q=x"))

    activity = Activity.objects.get()
    assert (response.status_code, response.content) == (200, SUCCESS)
    assert (activity.type, activity.name) == ("page", "/")
    assert activity.context["page"] == {
        "url": "http://testserver/?q=x",
        "path": "/",
        "title": "Home",
    }
    assert activity.person is None


def test_an_event_keeps_its_data():
    Browser().send(track("added_to_cart", anonymous_id="a-1", data={"sku": "A1", "tags": ["x"]}))

    activity = Activity.objects.get()
    assert activity.name == "added_to_cart"
    assert activity.properties == {"sku": "A1", "tags": ["x"]}


def test_an_identify_makes_a_person_of_a_visitor():
    browser = Browser()

    browser.send(said(anonymous_id="a-1"), identify("42", anonymous_id="a-1", data={"plan": "pro"}))

    person = Person.objects.get(user_id="42")
    assert person.attributes == {"plan": "pro"}
    assert {activity.type for activity in person.activities} == {"identify", "page"}


def test_one_request_may_bring_all_types():
    person = make_person("42")

    response = Browser().send(
        said("link", cio_id=person.cio_id, anonymous_id="a-1"),
        said(anonymous_id="a-1"),
        track(anonymous_id="a-1"),
        identify("42", anonymous_id="a-1"),
    )

    assert response.content == SUCCESS
    assert {activity.type for activity in person.activities} == {
        "link",
        "page",
        "track",
        "identify",
    }


def test_a_repeated_message_is_kept_once():
    message = track(anonymous_id="a-1")

    first, second = Browser().send(message), Browser().send(message, retry=1)

    assert first.content == second.content == SUCCESS
    assert Activity.objects.count() == 1


def test_no_csrf_token_is_asked_for():
    browser = Browser()
    browser.handler.enforce_csrf_checks = True

    assert browser.send(said(anonymous_id="a-1")).status_code == 200


def test_an_answer_is_never_kept_by_a_cache():
    assert Browser().send(said(anonymous_id="a-1"))["Cache-Control"].startswith("no-store")


def send_raw(**body):
    return Browser().post_text(json.dumps({"site_id": "shop", "messages": [], **body}))


def code(response):
    return response.json()["error"]["code"]


@pytest.mark.parametrize("site_id", [None, "", "Shop", "other", 1, ["shop"], {}], ids=repr)
def test_an_unknown_source_is_refused(site_id):
    response = send_raw(site_id=site_id)

    assert (response.status_code, code(response)) == (401, "unknown_source")


@pytest.mark.parametrize("messages", [None, {}, "x", 1], ids=repr)
def test_a_body_without_a_list_of_messages_is_refused(messages):
    response = send_raw(messages=messages)

    assert (response.status_code, code(response)) == (400, "invalid_body")


@pytest.mark.case("JSON-27")
@pytest.mark.parametrize("body", ["{}" + " " * 131_072, '{"a":"' + "x" * 200_000 + '"}'])
def test_a_body_that_is_too_large_is_refused(body):
    response = Browser().post_text(body)

    assert (response.status_code, code(response)) == (413, "too_large")


def test_a_request_of_too_many_messages_is_refused():
    response = Browser().send(*[{"type": "page"}] * 501)

    assert (response.status_code, code(response)) == (413, "too_large")
    assert FailedEvent.objects.count() == 0


@pytest.mark.case("ORIG-09")
@pytest.mark.parametrize("method", ["get", "head", "put", "delete", "patch"])
def test_only_post_is_served(method):
    response = getattr(Browser(), method)(f"{ENDPOINT}?id=u-1&email=victim@example.com")

    assert response.status_code == 405
    assert Person.objects.count() == 0


@pytest.mark.case("AUTH-04")
def test_what_is_answered_does_not_depend_on_what_is_stored():
    victim = make_person("u-1", email="victim@example.com", data={"plan": "gold"})

    def answer(**fields):
        response = Browser().send(identify(anonymous_id="a-1", **fields), renew=True)
        return response.status_code, response.content, sorted(response.headers.items())

    known = [
        answer(email="victim@example.com"),
        answer(id="u-1"),
        answer(id=f"cio_{victim.cio_id}"),
    ]
    unknown = [answer(email="nobody@example.com"), answer(id="u-9"), answer(id="cio_" + "0" * 32)]

    assert known == unknown


@pytest.mark.case("AUTH-04")
@pytest.mark.parametrize("beside", [(), (track(""),)], ids=["alone", "beside a bad one"])
def test_a_forged_link_is_answered_as_a_real_one(beside):
    person = make_person("42")

    real = Browser().send(said("link", cio_id=person.cio_id, anonymous_id="a-1"), *beside)
    forged = Browser().send(said("link", cio_id="0" * 32, anonymous_id="a-2"), *beside)

    assert (real.status_code, real.content) == (forged.status_code, forged.content)


def test_a_bot_is_answered_and_not_recorded():
    response = Browser(headers={"user-agent": "Googlebot/2.1"}).send(said(anonymous_id="a-1"))

    assert response.content == SUCCESS
    assert Activity.objects.count() == 0


def test_switched_off_it_answers_and_records_nothing(settings):
    configure(settings, ENABLED=False)
    browser = Browser(cioanonid="a-1", cioid="42")

    response = browser.send(identify("42", anonymous_id="a-1"), renew=True)

    assert response.content == SUCCESS
    assert Activity.objects.count() == 0
    assert not response.cookies


@pytest.mark.parametrize("took", [0, visitor.PROMPT], ids=["at once", "late"])
def test_only_a_prompt_answer_sets_cookies(monkeypatch, took):
    browser = Browser(cioanonid="a-1", cioid="42")
    times = iter([0.0])
    monkeypatch.setattr(visitor, "monotonic", lambda: next(times, took))

    response = browser.send(track(anonymous_id="a-1", id="42"), renew=True)

    assert response.content == SUCCESS
    assert Activity.objects.count() == 1
    assert set(response.cookies) == (set() if took else {"_cioanonid", "_cioid"})


def test_an_unknown_cio_id_beside_a_visitor_is_a_conflict_and_alone_a_failed_event():
    Browser().send(said(id="cio_" + "0" * 32, anonymous_id="a-1"))
    Browser().send(said(id="cio_" + "0" * 32))

    assert Conflict.objects.get().code == "unknown_cio_id"
    assert FailedEvent.objects.get().code == "unknown_cio_id"


def fails(request):
    raise ValueError


def test_while_a_hook_of_the_site_fails_the_script_is_to_try_again(settings, caplog):
    configure(settings, EXCLUDE=fails)
    answer = Browser().send(track(message_id="m-1", anonymous_id="X"))

    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert answer["Retry-After"]
    assert "A hook failed." in caplog.text
    assert not Activity.objects.exists()
