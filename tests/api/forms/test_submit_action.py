"""A form of a page that posts without a script."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from django.db import OperationalError, connection

from identity_tracking import identify
from identity_tracking.messages import Type
from identity_tracking.models import Activity, FailedEvent, Form, FormField, Person
from tests.factories import PersonFactory
from tests.saying import person as found
from tests.web import Browser, configure, said

pytestmark = pytest.mark.django_db

URL = "/people/forms/submit_action"
URL_ENCODED = "application/x-www-form-urlencoded"
PAGE = "http://testserver/join/?email=a@b.example"


def submit(browser=None, success_url="/thanks/", *, form_id="signup", site_id="shop", **fields):
    """Post a form as a browser does; ``success_url`` None leaves it away."""
    asked = {"site_id": site_id, "form_id": form_id}
    asked |= {} if success_url is None else {"success_url": success_url}
    body = urlencode(fields, doseq=True)
    return (browser or Browser()).post(
        f"{URL}?{urlencode(asked)}",
        body,
        content_type=URL_ENCODED,
        headers={"referer": PAGE, "sec-fetch-site": "same-origin"},
    )


def test_a_submission_leads_on_and_makes_the_browsers_history_the_persons():
    browser = Browser(cioanonid="X")
    browser.send(said(anonymous_id="X"))

    answer = submit(browser, email="Ada@example.com", first_name="Ada", topics=["a", "b"])

    assert (answer.status_code, answer["Location"]) == (302, "/thanks/")
    person = found(email="ada@example.com")
    assert person.attributes == {"first_name": "Ada", "topics": ["a", "b"]}
    assert [one.type for one in person.activities] == [Type.FORM, Type.PAGE]
    assert browser.person_id == "ada@example.com"


def test_it_is_untrusted_and_knows_its_page():
    submit(Browser(cioanonid="X"), email="ada@example.com")

    activity = Activity.objects.get()
    assert not activity.trusted
    assert activity.context["page"]["url"] == "http://testserver/join/"
    assert Form.objects.get().url == "http://testserver/join/"
    assert not Form.objects.get().trusted


def test_an_email_typed_on_somebodys_browser_changes_nobody():
    browser = Browser(cioanonid="X", cioid="42")
    PersonFactory(user_id="42")

    submit(browser, email="bob@example.com", city="London")

    person = found(id="42")
    assert person.attributes == {"city": "London"}
    assert person.email is None
    assert person.activities.get().properties["email"] == "bob@example.com"
    assert Person.objects.find(email="bob@example.com") is None
    assert Person.objects.find(anonymous_id="X") is None
    assert browser.person_id == "42"


def test_a_session_says_whose_it_is(django_user_model):
    user = django_user_model.objects.create_user("ada", password="x")
    browser = Browser()
    browser.force_login(user)
    identify(None, id=str(user.pk), plan="pro")

    submit(browser, email="bob@example.com", plan="free")

    person = found(id=str(user.pk))
    assert (person.attributes, person.email) == ({"plan": "pro"}, None)


def test_a_personal_links_browser_is_that_persons_and_learns_nothing():
    person = PersonFactory(user_id="42", email="ada@example.com")
    browser = Browser(cioanonid="X", cioid=f"cio_{person.cio_id}")

    submit(browser, email="bob@example.com")

    assert person.activities.get().type == Type.FORM
    assert browser.person_id == f"cio_{person.cio_id}"


def test_a_link_of_nobody_leaves_the_browser_anonymous():
    submit(Browser(cioanonid="X", cioid="cio_0300000001"), email="ada@example.com")

    assert found(email="ada@example.com").activities.count() == 1


def test_an_id_that_is_typed_is_not_believed():
    submit(Browser(cioanonid="X"), id="42", email="ada@example.com")

    assert Person.objects.find(id="42") is None
    assert found(email="ada@example.com").attributes == {}


def test_a_form_without_an_email_is_the_anonymous_visitors():
    answer = submit(Browser(cioanonid="X"), colour="blue")

    assert answer.status_code == 302
    assert Activity.objects.get().identifier.value == "X"
    assert not Person.objects.exists()


def test_a_form_that_is_nobodys_is_refused_in_words_and_listed():
    answer = submit(contact="ada@example.com")

    assert answer.status_code == 400
    assert "give your email address" in answer.content.decode()
    assert FormField.objects.get().name == "contact"
    failed = FailedEvent.objects.get()
    assert (failed.code, failed.entrance, failed.trusted) == ("no_identifier", "form", False)


@pytest.mark.parametrize(
    "success_url",
    ["/thanks/?a=b", "http://testserver/thanks/", "https://testserver/", "thanks"],
)
def test_a_form_leads_to_pages_of_its_own_site(success_url):
    answer = submit(success_url=success_url, email="ada@example.com")

    assert (answer.status_code, answer["Location"]) == (302, success_url)


@pytest.mark.case("LINK-13")
@pytest.mark.parametrize(
    "success_url",
    [
        *(
            None,
            "",
            "https://evil.example/",
            "//evil.example/",
            "///evil.example",
            "/\\evil.example",
        ),
        *("javascript:alert(1)", "http:evil.example", "https://testserver@evil.example/"),
        *(
            "http://testserver:444/",
            "\thttps://evil.example",
            "/ok\r\nSet-Cookie: a=b",
            "/" * 2_001,
        ),
        *("https://shop.example/other/", "https://shop.example:444/thanks/", "data:text/html,x"),
        *(
            "https://shop.example/thanks/../other/",
            "http://shop.example/thanks/",
            "/ok\0",
        ),
    ],
)
def test_a_form_leads_nowhere_else(settings, success_url):
    configure(settings, FORM_SUCCESS_URLS=["https://shop.example/thanks/"])

    answer = submit(success_url=success_url, email="ada@example.com")

    assert answer.status_code == 200
    assert "<h1>Thank you</h1>" in answer.content.decode()
    assert found(email="ada@example.com").activities.exists()


@pytest.mark.parametrize(
    "success_url", ["https://shop.example/thanks/", "https://a.example/x", "https://b.example?c=d"]
)
def test_a_form_leads_to_pages_and_origins_that_are_listed(settings, success_url):
    listed = ["https://shop.example/thanks/", "https://a.example"]
    configure(settings, FORM_SUCCESS_URLS=listed, ALLOWED_ORIGINS=["https://b.example"])

    assert submit(success_url=success_url, email="ada@example.com")["Location"] == success_url


def test_the_page_is_in_the_sites_language_and_kept_by_nobody(settings):
    settings.LANGUAGE_CODE = "ar"

    answer = submit(success_url=None, email="ada@example.com")

    assert '<html lang="ar" dir="rtl">' in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]


def test_another_source_or_origin_is_refused():
    assert submit(site_id="other", email="a@example.com").status_code == 401
    foreign = Browser().post(
        f"{URL}?site_id=shop&form_id=x",
        "",
        headers={"origin": "https://evil.example"},
        content_type=URL_ENCODED,
    )
    assert foreign.status_code == 403
    assert not Form.objects.exists()


@pytest.mark.parametrize(
    ("changes", "headers"),
    [
        ({"ENABLED": False}, {}),
        ({"CONSENT": "required", "CONSENT_COOKIE": "yes"}, {}),
        ({"EXCLUDE": lambda request: True}, {}),
        ({}, {"sec-gpc": "1"}),
        ({}, {"user-agent": "Googlebot"}),
    ],
    ids=["switched off", "no consent", "excluded", "a signal", "a bot"],
)
def test_nothing_is_kept_of_whom_is_not_to_be_followed(settings, changes, headers):
    configure(settings, **changes)
    browser = Browser(headers=headers)

    assert submit(browser, email="ada@example.com").status_code == 302
    assert not Activity.objects.exists()
    assert not Form.objects.exists()
    assert not browser.person_id


@pytest.mark.parametrize(
    "kind", ["multipart/form-data; boundary=x", "text/plain", "application/json"]
)
def test_what_is_not_url_encoded_is_refused_and_not_kept(kind):
    answer = Browser().post(f"{URL}?site_id=shop&form_id=x", "password=1", content_type=kind)

    assert answer.status_code == 400
    assert not FailedEvent.objects.exists()


def test_a_form_too_large_is_refused():
    assert submit(text="x" * 131_072).status_code == 413
    assert submit(**{f"f{n}": "x" for n in range(301)}).status_code == 400


def test_nobody_looks_at_the_endpoint():
    assert Browser().get(URL).status_code == 405


def test_no_token_is_asked_for():
    browser = Browser(cioanonid="X")
    browser.handler.enforce_csrf_checks = True

    assert submit(browser, email="ada@example.com").status_code == 302


def gone(execute, sql, params, many, context):
    if "INTO" in sql and "identity_tracking_activity" in sql:
        raise OperationalError("gone")
    return execute(sql, params, many, context)


@pytest.mark.django_db(transaction=True)
def test_where_the_database_fails_it_says_to_send_it_again():
    with connection.execute_wrapper(gone):
        answer = submit(Browser(cioanonid="X"), email="ada@example.com")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "send it again in a moment" in answer.content.decode()
    assert not Person.objects.exists()
    assert submit(Browser(cioanonid="X"), email="ada@example.com").status_code == 302


def test_a_middleware_that_reads_all_leaves_enough(settings):
    settings.MIDDLEWARE = ["tests.api.test_base.ReadsEverything", *settings.MIDDLEWARE]

    submit(Browser(cioanonid="X"), email="ada@example.com", plan="pro")

    assert found(email="ada@example.com").attributes == {"plan": "pro"}


def test_a_form_may_tell_its_source_and_id_itself():
    answer = Browser().post(
        URL, "site_id=shop&form_id=f&email=a@b.example&plan=pro", content_type=URL_ENCODED
    )

    assert answer.status_code == 200
    assert found(email="a@b.example").attributes == {"plan": "pro"}
    assert Form.objects.get().form_id == "f"
