"""The main stories, told in the example shop: a real browser, a real server, a real database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, BrowserContext, Page, Response

from identity_tracking.links import personal
from identity_tracking.messages import Type
from identity_tracking.models import Activity, Conflict, Person
from identity_tracking.models.conflict import Code
from tests.example_project.shop import as_the_shop

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PASSWORD = "correct-horse"
CLUB = {"identifiers": {"object_type_id": "club", "object_id": "tasting"}}


class Shopper:
    """Somebody at a browser, who never goes on before the server has kept what was done."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url

    @contextmanager
    def kept(self) -> Iterator[None]:
        with self.page.expect_response(_is_visit) as answer:
            yield
        assert answer.value.ok

    def visit(self, path: str) -> None:
        with self.kept():
            self.page.goto(self.url + path)

    def press(self, button: str) -> None:
        with self.kept():
            self.page.get_by_role("button", name=button, exact=True).click()

    def log_in(self, user: User) -> None:
        self.visit("/login/")
        self.page.get_by_label("Username").fill(user.username)
        self.page.get_by_label("Password").fill(PASSWORD)
        with self.kept():
            self.page.locator("main").get_by_role("button", name="Log in").click()

    def call(self, method: str, *args: Any) -> None:
        with self.kept():
            self.page.evaluate("([method, args]) => { _cio[method](...args) }", [method, args])

    @property
    def anonymous_id(self) -> str:
        return self.cookies["_cioanonid"]

    @property
    def cookies(self) -> dict[str, str]:
        return {cookie["name"]: cookie["value"] for cookie in self.page.context.cookies()}


def _is_visit(response: Response) -> bool:
    return response.url.endswith("/people/visit/")


@pytest.fixture(autouse=True)
def _shop() -> Iterator[None]:
    with as_the_shop():
        yield


@pytest.fixture
def shopper(page: Page, live_server) -> Shopper:
    return Shopper(page, live_server.url)


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.com", PASSWORD)


@pytest.fixture
def bob() -> User:
    return User.objects.create_user("bob", "bob@example.com", PASSWORD)


def find(**identifier: Any) -> Person:
    person = Person.objects.find(**identifier)
    assert person is not None
    return person


def history(person: Person) -> list[str]:
    """What somebody did, oldest first."""
    return [activity.name or activity.type for activity in person.activities.reverse()]


def owner_of(name: str) -> Person | None:
    return Activity.objects.get(name=name).person


# ---- Logging in and out


def test_a_login_takes_along_what_was_done_before_in_order(shopper, ada):
    shopper.visit("/")
    shopper.visit("/club/")
    shopper.visit("/products/dark-mode/")
    shopper.press("Add to cart")

    shopper.log_in(ada)

    browsed = ["/", "/club/", "/products/dark-mode/"]
    bought = ["added_to_cart", "/cart/", "/login/", "identify", "/account/"]
    assert history(find(id=ada.pk)) == [*browsed, *bought]


def test_after_a_logout_the_browser_is_a_new_visitors(shopper, ada):
    shopper.log_in(ada)
    before = shopper.anonymous_id

    shopper.press("Log out")
    shopper.visit("/club/")

    assert shopper.anonymous_id != before
    assert "_cioid" not in shopper.cookies
    assert owner_of("/club/") is None
    assert owner_of("/account/") == find(id=ada.pk)


def test_nothing_crosses_over_to_who_logs_in_next(shopper, ada, bob):
    shopper.visit("/products/dark-mode/")
    shopper.log_in(ada)
    shopper.press("Log out")
    shopper.visit("/club/")
    shopper.log_in(bob)

    adas = ["/products/dark-mode/", "/login/", "identify", "/account/"]
    assert history(find(id=ada.pk)) == adas
    assert history(find(id=bob.pk)) == ["/", "/club/", "/login/", "identify", "/account/"]


def test_nothing_crosses_over_where_nobody_logged_out(shopper, ada, bob):
    shopper.visit("/products/dark-mode/")
    shopper.log_in(ada)
    before = shopper.anonymous_id
    shopper.log_in(bob)

    adas = ["/products/dark-mode/", "/login/", "identify", "/account/", "/login/"]
    assert history(find(id=ada.pk)) == adas
    assert history(find(id=bob.pk)) == ["identify", "/account/"]
    assert shopper.anonymous_id != before


def test_between_an_unproven_person_and_a_login_a_page_is_nobodys(shopper, bob):
    shopper.visit("/club/")
    shopper.call("identify", {"id": "A"})
    shopper.page.context.clear_cookies(name="_cioid")
    shopper.visit("/cart/")

    shopper.log_in(bob)

    assert owner_of("/club/") == find(id="A")
    assert owner_of("/cart/") is None
    assert history(find(id=bob.pk)) == ["identify", "/account/"]


def test_who_logs_in_takes_nothing_of_who_was_identified_by_the_page(shopper, bob):
    shopper.visit("/club/")
    shopper.call("identify", {"id": "A"})
    shopper.visit("/cart/")

    shopper.log_in(bob)

    assert history(find(id="A")) == ["/club/", "identify", "/cart/", "/login/"]
    assert history(find(id=bob.pk)) == ["identify", "/account/"]


# ---- _cio.identify


@pytest.mark.parametrize("who", [{"id": "42"}, {"email": "lin@example.com"}])
def test_the_page_identifies(shopper, who):
    shopper.visit("/club/")

    shopper.call("identify", {**who, "plan": "pro"})
    shopper.visit("/cart/")

    person = find(**who)
    assert person.attributes == {"plan": "pro"}
    assert history(person) == ["/club/", "identify", "/cart/"]


def test_an_email_becomes_the_person_of_the_id_that_follows(shopper):
    shopper.visit("/club/")
    shopper.call("identify", {"email": "lin@example.com", "city": "Turin"})
    shopper.call("identify", {"id": "42", "email": "lin@example.com"})
    shopper.visit("/cart/")

    person = find(id="42")
    assert find(email="lin@example.com") == person
    assert person.attributes == {"city": "Turin"}
    assert history(person) == ["/club/", "identify", "identify", "/cart/"]


def test_a_second_identify_overwrites_adds_and_keeps(shopper):
    shopper.visit("/club/")

    shopper.call("identify", {"id": "42", "plan": "free", "city": "Turin"})
    shopper.call("identify", {"id": "42", "plan": "pro", "seats": 3})

    assert find(id="42").attributes == {"plan": "pro", "city": "Turin", "seats": 3}


def test_reset_makes_a_new_visitor(shopper):
    shopper.visit("/club/")
    shopper.call("identify", {"id": "42"})
    before = shopper.anonymous_id

    shopper.page.evaluate("_cio.reset()")
    shopper.visit("/cart/")

    assert shopper.anonymous_id != before
    assert owner_of("/cart/") is None
    assert history(find(id="42")) == ["/club/", "identify"]


def test_to_identify_somebody_else_moves_nothing(shopper):
    shopper.visit("/club/")
    shopper.call("identify", {"id": "A"})
    shopper.visit("/cart/")
    shopper.call("identify", {"id": "B"})
    shopper.visit("/login/")

    assert history(find(id="A")) == ["/club/", "identify", "/cart/"]
    assert history(find(id="B")) == ["identify", "/login/"]


def test_the_tasting_club_is_joined_and_left(shopper):
    shopper.visit("/club/")
    shopper.page.get_by_label("Email", exact=True).fill("lin@example.com")
    shopper.page.get_by_label("filter").check()

    shopper.press("Join the club")
    person = find(email="lin@example.com")
    assert [str(row.object) for row in person.relationships] == ["club: tasting"]
    assert person.attributes == {"favourite_roast": "light", "brews_with": ["filter"]}

    shopper.press("Leave it")
    assert not person.relationships.exists()


# ---- Personal links


def test_a_personal_link_identifies_a_new_browser(shopper, ada):
    person = _known(ada, shopper)
    visitor = Shopper(shopper.page.context.browser.new_context().new_page(), shopper.url)

    visitor.visit(personal("/club/", person))
    visitor.visit("/cart/")

    assert visitor.page.evaluate("location.search") == ""
    assert find(anonymous_id=visitor.anonymous_id) == person
    assert visitor.cookies["_cioid"] == f"cio_{person.cio_id}"
    assert owner_of("/cart/") == person
    assert Activity.objects.filter(type=Type.LINK).count() == 1
    visitor.page.context.close()


def test_a_personal_link_identifies_without_javascript(shopper, ada, browser: Browser):
    person = _known(ada, shopper)
    context: BrowserContext = browser.new_context(java_script_enabled=False)
    visitor = Shopper(context.new_page(), shopper.url)

    visitor.page.goto(shopper.url + personal("/club/", person))

    assert find(anonymous_id=visitor.anonymous_id) == person
    assert history(person)[-1] == "link"
    context.close()


def test_a_personal_link_does_not_identify_anothers_browser(shopper, ada, bob):
    person = _known(ada, shopper)
    shopper.log_in(bob)

    shopper.visit(personal("/club/", person))

    assert shopper.cookies["_cioid"] == str(bob.pk)
    assert find(anonymous_id=shopper.anonymous_id) == find(id=bob.pk)
    assert owner_of("/club/") == find(id=bob.pk)
    assert set(Conflict.objects.values_list("code", flat=True)) == {Code.LINK_ELSEWHERE}


def _known(user: User, shopper: Shopper) -> Person:
    shopper.log_in(user)
    shopper.press("Log out")
    return find(id=user.pk)


# ---- What is sent along


@pytest.mark.parametrize("arrays", ["true", "false", None])
def test_relationships_are_added_and_removed(shopper, arrays):
    _serve_with_arrays(shopper.page, arrays)
    shopper.visit("/cart/")
    change = {"relationships": [CLUB, _flight("LH 454")]}

    added = {"action": "add_relationships", **change}
    shopper.call("identify", {"id": "42", "cio_relationships": added})
    person = find(id="42")
    assert {str(row.object) for row in person.relationships} == {"club: tasting", "flight: LH 454"}

    removed = {"action": "remove_relationships", "relationships": [CLUB]}
    shopper.call("identify", {"id": "42", "cio_relationships": [removed]})
    assert {str(row.object) for row in person.relationships} == {"flight: LH 454"}


@pytest.mark.parametrize(
    ("arrays", "kept"),
    [
        ("true", ["filter", ["moka"]]),
        ("false", {"0": "filter", "1": {"0": "moka"}}),
        (None, {"0": "filter", "1": {"0": "moka"}}),
    ],
)
def test_arrays_are_kept_where_the_page_says_so(shopper, arrays, kept):
    _serve_with_arrays(shopper.page, arrays)
    shopper.visit("/cart/")

    shopper.call("identify", {"id": "42", "brews": ["filter", ["moka"]]})
    shopper.call("track", "brewed", {"with": ["filter", ["moka"]]})

    assert find(id="42").attributes == {"brews": kept}
    assert Activity.objects.get(name="brewed").properties == {"with": kept}


def _serve_with_arrays(page: Page, value: str | None) -> None:
    """Let the page's snippet say ``data-use-array-params="value"``, or nothing of it."""
    attribute = "" if value is None else f' data-use-array-params="{value}"'
    page.route("**/cart/", partial(_rewrite, attribute))


def _rewrite(attribute: str, route: Any) -> None:
    response = route.fetch()
    written = ' data-use-array-params="true"'
    assert written in response.text()
    route.fulfill(response=response, body=response.text().replace(written, attribute))


def _flight(number: str) -> dict[str, Any]:
    return {"identifiers": {"object_type_id": "flight", "object_id": number}}
