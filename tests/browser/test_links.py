"""Personal links: announced to the server, which stores none, and gone from the address bar."""

from __future__ import annotations

import pytest

from tests.browser.conftest import STORED, Answer

pytestmark = pytest.mark.browser("chromium", "firefox")

PATH = "/p?a=1&_cio_id=c0ffee&b=%20x#part"
STRIPPED = "/p?a=1&b=+x#part"


@pytest.mark.case("LINK-08")
def test_15_a_link_is_announced_and_stripped(site, page):
    site.otherwise = Answer(headers=(("Set-Cookie", "_cioid=cio_c0ffee; path=/"),))
    site.add("/p", "<script>_cio.track('early'); history.replaceState({k: 1}, '')</script>")

    page.goto(site.url(PATH))
    link = site.wait(lambda: site.of("link"))[0]
    page.wait_for_function("_cio._findCustomer() === 'cio_c0ffee'")
    page.evaluate("_cio.track('later')")

    assert link["cio_id"] == "c0ffee"
    assert "id" not in link
    assert site.wait_for("later")["id"] == "cio_c0ffee"
    assert page.url == site.url(STRIPPED)
    assert page.evaluate("history.state") == {"k": 1}
    assert [m["type"] for m in site.messages] == ["link", "track", "page", "track"]


def test_15_back_does_not_bring_the_link_back(site, page):
    site.add("/p")
    site.add("/next")
    page.goto(site.url(PATH))
    site.wait(lambda: site.of("link"))
    page.wait_for_function(f"!{STORED}")

    page.goto(site.url("/next"))
    page.wait_for_function(f"!{STORED}")
    page.evaluate("history.back()")

    page.wait_for_function("location.pathname === '/p'")
    assert page.evaluate("location.href") == site.url(STRIPPED)
    page.evaluate("_cio.track('fence')")
    site.wait_for("fence")
    assert len(site.of("link")) == 1
    assert not any("c0ffee" in m.get("referrer", "") for m in site.messages)


@pytest.mark.browser("chromium")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("/p?_cio_id=x", "/p"),
        ("/p?_cio_id=x#h", "/p#h"),
        ("/p?_cio_id=x&a", "/p?a="),
        ("/p?a=%2B~!&_cio_id=x", "/p?a=%2B%7E%21"),
        ("/p?_cio_id=x&_cio_id=y&a=1&_cio_id=z", "/p?a=1"),
        ("/p?my_cio_id=x&b", "/p?my_cio_id=x&b"),
        ("/p?a=%2B~!&b", "/p?a=%2B~!&b"),
    ],
)
def test_15_everything_else_in_the_address_is_kept(site, page, before, after):
    site.add("/p")

    page.goto(site.url(before))

    assert site.wait(lambda: site.of("page"))[0]["url"] == site.url(after)
    page.wait_for_url(site.url(after))


@pytest.mark.browser("chromium")
def test_15_the_parameter_can_have_another_name(site, page):
    site.add("/p", link_parameter="who")

    page.goto(site.url("/p?who=x&_cio_id=y"))

    assert site.wait(lambda: site.of("link"))[0]["cio_id"] == "x"
    assert page.url == site.url("/p?_cio_id=y")


def test_15_nothing_is_announced_when_the_server_has_seen_to_it(site, context, page):
    context.add_cookies([{"name": "_cioid", "value": "cio_c0ffee", "url": site.url()}])
    site.add("/p")

    page.goto(site.url(PATH))

    view = site.wait(lambda: site.of("page"))[0]
    assert view["id"] == "cio_c0ffee"
    assert site.of("link") == []
    assert page.url == site.url(STRIPPED)


def test_16_a_forged_link_identifies_nobody(site, page):
    site.add("/p")

    page.goto(site.url("/p?_cio_id=%E0%A4%A&_cio_id=forged"))
    site.wait(lambda: site.of("link"))
    page.evaluate("_cio.track('after')")

    assert "id" not in site.wait_for("after")
    assert page.evaluate("_cio._findCustomer()") == ""
