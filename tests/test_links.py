from __future__ import annotations

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import User
from django.template import Context, Template
from django.test import AsyncClient

from identity_tracking import identify
from identity_tracking.links import personal
from identity_tracking.models import Activity, Conflict, Person
from tests.web import FIREFOX, Browser, configure, said
from tests.web import identify as claim

pytestmark = pytest.mark.django_db

ID = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def ada():
    return identify(None, id="42", email="ada@example.com")


def link(person, path="/"):
    return personal(path, person)


# Written


@pytest.mark.parametrize(
    ("url", "written"),
    [
        ("/cart/", f"/cart/?_cio_id={ID}"),
        ("https://shop.example", f"https://shop.example?_cio_id={ID}"),
        ("/cart/#top", f"/cart/?_cio_id={ID}#top"),
        ("/?a=1&a=2&b=", f"/?a=1&a=2&b=&_cio_id={ID}"),
        ("/?flag&sig=a%2Fb+c~%E9", f"/?flag&sig=a%2Fb+c~%E9&_cio_id={ID}"),
        ("/?a=1;b=2#x?y", f"/?a=1;b=2&_cio_id={ID}#x?y"),
        ("/?_cio_id=another&a=1", f"/?a=1&_cio_id={ID}"),
        ("/?", f"/?_cio_id={ID}"),
        ("", f"?_cio_id={ID}"),
        ("http://[broken/?a=1", f"http://[broken/?a=1&_cio_id={ID}"),
    ],
)
def test_the_parameter_is_added_and_the_rest_of_the_address_kept(url, written):
    assert personal(url, Person(cio_id=ID)) == written


def test_the_parameter_may_have_another_name(settings):
    configure(settings, LINK_PARAMETER="who")

    assert personal("/?who=x&_cio_id=y", Person(cio_id=ID)) == f"/?_cio_id=y&who={ID}"


def rendered(url, person):
    template = Template("{% load identity_tracking %}{{ url|identify_link:person }}")
    return template.render(Context({"url": url, "person": person}))


def test_a_template_writes_it_escaped():
    assert rendered('/?a="1"&b', Person(cio_id=ID)) == f"/?a=&quot;1&quot;&amp;b&amp;_cio_id={ID}"


@pytest.mark.parametrize("nobody", [None, ""])
def test_a_template_without_a_person_writes_the_bare_address(nobody):
    assert rendered("/cart/", nobody) == "/cart/"


# Opened


def test_a_link_identifies_a_browser_that_is_anonymous(ada):
    browser = Browser(cioanonid="a-1")
    browser.send(said(anonymous_id="a-1"))

    response = browser.open(link(ada))

    assert response.cookies["_cioid"].value == f"cio_{ada.cio_id}"
    assert {activity.type for activity in ada.activities} == {"identify", "page", "link"}
    assert "private" in response["Cache-Control"]


def test_a_link_identifies_a_fresh_browser(ada):
    browser = Browser()

    browser.open(link(ada))
    browser.send(said(anonymous_id=browser.anonymous_id, id=browser.person_id))

    assert ada.activities.filter(type="page").count() == 1


def test_a_link_works_on_a_browser_that_is_already_that_persons(ada):
    browser = Browser(cioanonid="a-1", cioid="42")
    browser.send(claim("42", anonymous_id="a-1"))

    response = browser.open(link(ada))

    assert "_cioid" not in response.cookies
    assert ada.activities.filter(type="link").count() == 1
    assert Conflict.objects.count() == 0


def test_opened_twice_it_is_still_one_person(ada):
    browser = Browser()

    browser.open(link(ada))
    browser.open(link(ada))

    assert browser.person_id == f"cio_{ada.cio_id}"
    assert Conflict.objects.count() == 0
    assert Person.objects.count() == 2  # ada, and the row of her email


@pytest.mark.case("LINK-04")
@pytest.mark.parametrize("cookie", ["bob", "bob%40example.com", "somebody-unknown"])
def test_on_anybody_elses_browser_it_is_kept_as_opened_and_a_conflict(ada, cookie):
    identify(None, id="bob", email="bob@example.com")
    browser = Browser(cioanonid="a-1", cioid=cookie)

    response = browser.open(link(ada))

    assert "_cioid" not in response.cookies
    assert Conflict.objects.get().code == "link_elsewhere"
    opened = Activity.objects.get(type="link")
    assert opened.properties == {"cio_id": ada.cio_id}
    assert opened.person != ada
    assert Person.objects.find(anonymous_id="a-1") is None


def test_a_browser_that_was_somebodys_is_theirs_even_without_the_cookie(ada):
    browser = Browser(cioanonid="a-1")
    browser.send(claim("bob", anonymous_id="a-1"))

    browser.open(link(ada))

    assert browser.person_id == ""
    assert Person.objects.find(anonymous_id="a-1") == Person.objects.find(id="bob")


@pytest.mark.case("LINK-06")
def test_who_is_logged_in_stays_who_they_are(ada):
    browser = Browser(cioanonid="a-1")
    bob = User.objects.create_user("bob", password="secret")
    browser.force_login(bob)

    browser.open(link(ada))

    assert Conflict.objects.get().code == "link_elsewhere"
    assert Person.objects.find(anonymous_id="a-1") != ada


@pytest.mark.case("LINK-05")
def test_who_opened_it_and_then_says_who_they_are_is_no_more_the_addressee(ada):
    browser = Browser()
    browser.open(link(ada))

    browser.send(claim("carol", anonymous_id=browser.anonymous_id))

    carol = Person.objects.find(id="carol")
    assert carol not in {None, ada}
    assert Person.objects.find(anonymous_id=browser.anonymous_id) == carol


@pytest.mark.parametrize(
    "cio_id", ["0" * 32, "", "x", "%00", "%ff", "1' OR 1=1", "a" * 5000, ID[:5]]
)
def test_a_forged_link_does_nothing(ada, cio_id, caplog):
    browser = Browser(cioanonid="a-1")

    response = browser.open(f"/?_cio_id={cio_id}")

    assert response.status_code == 200
    assert not response.cookies
    assert Activity.objects.exclude(type="identify").count() == 0
    assert caplog.records == []


def test_of_two_parameters_one_is_followed_at_most(ada):
    browser = Browser(cioanonid="a-1")

    browser.open(f"/?_cio_id={'0' * 32}&_cio_id={ada.cio_id}")

    assert Activity.objects.filter(type="link").count() == 1


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("head", {"sec-fetch-mode": "navigate"}),
        ("post", {"sec-fetch-mode": "navigate"}),
        ("get", {}),
        ("get", {"sec-fetch-mode": "no-cors"}),
        ("get", {"sec-fetch-mode": "cors"}),
        ("get", {"sec-fetch-mode": "navigate", "sec-purpose": "prefetch"}),
        ("get", {"sec-fetch-mode": "navigate", "sec-purpose": "prefetch;prerender"}),
        ("get", {"sec-fetch-mode": "navigate", "purpose": "prefetch"}),
        ("get", {"sec-fetch-mode": "navigate", "user-agent": "Googlebot/2.1"}),
    ],
    ids=str,
)
def test_only_a_person_who_clicks_counts(ada, method, headers):
    browser = Browser(cioanonid="a-1", headers=headers)

    response = getattr(browser, method)(link(ada))

    assert not response.cookies
    assert not Activity.objects.filter(type="link").exists()


@pytest.mark.django_db(transaction=True)
def test_a_link_is_followed_under_async_too(ada):
    headers = {"user-agent": FIREFOX, "sec-fetch-mode": "navigate"}

    response = async_to_sync(AsyncClient().get)(link(ada), headers=headers)

    assert response.cookies["_cioid"].value == f"cio_{ada.cio_id}"


def test_a_link_on_the_browser_of_another_cio_id_is_a_conflict(ada):
    bob = identify(None, id="bob")
    assert bob is not None

    response = Browser(cioanonid="a-1", cioid=f"cio_{bob.cio_id}").open(link(ada))

    assert not response.cookies
    assert Person.objects.find(anonymous_id="a-1") is None


def test_switched_off_a_link_is_a_plain_address(ada, settings):
    configure(settings, ENABLED=False)

    assert not Browser().open(link(ada)).cookies
    assert not Activity.objects.filter(type="link").exists()


def test_the_script_opens_a_link_where_the_middleware_could_not(ada):
    browser = Browser(cioanonid="a-1")

    response = browser.send(said("link", cio_id=ada.cio_id, anonymous_id="a-1"))

    assert response.cookies["_cioid"].value == f"cio_{ada.cio_id}"
    assert ada.activities.filter(type="link").count() == 1


def test_a_browser_that_has_said_who_it_is_since_stays_that(ada):
    browser = Browser(cioanonid="a-1", cioid="carol")

    browser.send(
        said("link", cio_id=ada.cio_id, anonymous_id="a-1"), claim("carol", anonymous_id="a-1")
    )

    assert browser.person_id == "carol"


@pytest.mark.case("LINK-08")
def test_no_stored_address_holds_the_parameter(ada):
    browser = Browser(headers={"referer": f"http://testserver/?_cio_id={ada.cio_id}&ref=mail"})
    address = f"http://testserver/?_cio_id={ada.cio_id}&ref=mail"

    browser.open(f"/?_cio_id={ada.cio_id}&ref=mail")
    browser.send(said(anonymous_id="a-1", url=address, referrer=address))

    contexts = Activity.objects.exclude(type="identify").values_list("context", flat=True)
    assert len(contexts) == 2
    assert "_cio_id" not in str(list(contexts))
    assert "ref=mail" in str(contexts[0])


def test_a_page_with_a_link_makes_queries_and_any_other_none(ada, django_assert_num_queries):
    browser = Browser(cioanonid="a-1")

    with django_assert_num_queries(0):
        browser.open("/?ref=mail")
