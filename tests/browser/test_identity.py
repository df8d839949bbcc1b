"""Who a message is from: the two cookies, read at every call, shared with the server."""

from __future__ import annotations

import re
import ssl
import subprocess
import time

import pytest

from tests.browser.conftest import Answer

pytestmark = pytest.mark.browser("chromium", "firefox")

READY = "_cio.cookieNamespace === '_cio'"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def jar(context):
    return {cookie["name"]: cookie for cookie in context.cookies()}


def value(context, name):
    return jar(context).get(name, {}).get("value")


@pytest.fixture
def visit(site, page):
    """Open a page whose script only does what it is told."""

    def visit(**settings):
        page.goto(site.add("/", **{"auto_track_page": "false", **settings}))
        page.wait_for_function(READY)
        return page

    return visit


def test_06_a_page_view_is_sent_by_itself(site, page):
    page.goto(site.add("/"))

    view = site.wait(lambda: site.of("page"))[0]

    assert (view["url"], view["title"]) == (site.url(), "/")
    assert UUID.fullmatch(view["message_id"])
    assert not {"id", "name", "referrer", "data"} & set(view)


def test_06_a_page_view_is_not_sent_by_itself_when_switched_off(site, visit):
    page = visit()

    page.evaluate("_cio.page('Pricing', {plan: 'pro'}), _cio.page('https://a.test/b')")

    site.wait(lambda: len(site.messages) == 2)
    named, elsewhere = site.messages
    assert (named["name"], named["data"]) == ("Pricing", {"plan": "pro"})
    assert elsewhere["name"] == "https://a.test/b"


@pytest.mark.browser("chromium")
@pytest.mark.parametrize(
    ("ids", "rotates"),
    [
        ("7 8", True),
        ("7 7", False),
        ("7 ada@shop.test", False),
        ("ada@shop.test 7", False),
        ("ada@shop.test bob@shop.test", True),
        ("ada@shop.test Ada@Shop.test", True),
        ("cio_a1 7", False),
        ("cio_a1 cio_b2", True),
    ],
)
def test_06_another_of_the_same_kind_rotates_the_anonymous_id(site, context, visit, ids, rotates):
    page = visit()

    page.evaluate("ids => ids.forEach(id => _cio.identify({id}))", ids.split())

    site.wait(lambda: len(site.messages) == 2)
    before, after = site.messages
    assert (before["anonymous_id"] != after["anonymous_id"]) is rotates
    assert after["anonymous_id"] == value(context, "_cioanonid")


@pytest.mark.browser("chromium")
@pytest.mark.parametrize(
    ("call", "expected", "current"),
    [
        ("'7', {a: 1}", {"id": "7", "a": 1}, "7"),
        ("7", {"id": "7"}, "7"),
        ("'ada@shop.test'", {"id": "ada@shop.test"}, "ada@shop.test"),
        ("'cio_a1'", {"id": "cio_a1"}, "cio_a1"),
        ("{id: 7, email: 'a@b.test'}", {"id": 7, "email": "a@b.test"}, "7"),
        ("{email: 'a@b.test', id: ''}", {"id": "", "email": "a@b.test"}, "a@b.test"),
        ("'7', {email: 'a@b.test', id: '8'}", {"id": "7", "email": "a@b.test"}, "7"),
        ("'7', null", {"id": "7"}, "7"),
    ],
)
def test_06_identify_takes_an_object_or_an_identifier(site, visit, call, expected, current):
    page = visit()

    page.evaluate(f"_cio.identify({call})")

    message = site.wait(lambda: site.of("identify"))[0]
    assert message["data"] == expected
    assert message["id"] == page.evaluate("_cio._findCustomer()") == current


@pytest.mark.parametrize("typed", ["'42'", "42", "'ada at shop.test'", "''", "{}"])
def test_06_what_is_no_email_identifies_nobody(site, visit, typed):
    page = visit()

    page.evaluate(f"_cio.identify({{email: {typed}, plan: 'pro'}}); _cio.track('seen')")

    assert "id" not in site.wait_for("seen")
    assert not site.of("identify")
    assert page.evaluate("_cio._findCustomer()") == ""


def test_07_a_cookie_that_is_there_is_kept_byte_for_byte(site, context, visit):
    mine = {"name": "_cioanonid", "value": "%22Middleware's~id%22", "url": site.url()}
    context.add_cookies([mine])

    visit().evaluate("_cio.track('seen')")

    assert site.wait_for("seen")["anonymous_id"] == mine["value"]
    assert value(context, "_cioanonid") == mine["value"]


def test_07_without_a_cookie_one_is_minted_and_kept(site, context, visit):
    page = visit()
    page.evaluate("_cio.track('first')")
    first = site.wait_for("first")["anonymous_id"]

    page.reload()
    page.wait_for_function(READY)
    page.evaluate("_cio.track('second')")

    assert UUID.fullmatch(first)
    assert site.wait_for("second")["anonymous_id"] == value(context, "_cioanonid") == first


def test_08_cookies_over_http_are_lax_for_a_year_and_not_secure(site, context, visit):
    visit().evaluate("_cio.identify('7')")
    site.wait(lambda: site.messages)

    assert set(jar(context)) == {"_cioanonid", "_cioid"}
    for cookie in jar(context).values():
        assert (cookie["path"], cookie["sameSite"], cookie["secure"]) == ("/", "Lax", False)
        assert not cookie["httpOnly"]
        assert abs(cookie["expires"] - time.time() - 31_536_000) < 60


@pytest.mark.parametrize(("cross_site", "same_site"), [("false", "Lax"), ("true", "None")])
def test_08_cookies_over_https_are_secure(secure_site, browser, cross_site, same_site):
    secure_site.add("/", auto_track_page="false", cross_site_support=cross_site)
    with browser.new_context(ignore_https_errors=True) as context:
        page = context.new_page()
        page.goto(secure_site.url().replace("http:", "https:"))
        page.wait_for_function(READY)

        page.evaluate("_cio.identify('7')")

        secure_site.wait(lambda: secure_site.messages)
        for cookie in jar(context).values():
            assert (cookie["secure"], cookie["sameSite"]) == (True, same_site)


@pytest.fixture
def secure_site(site, tmp_path):
    """The site over TLS, with a certificate of its own making."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=shop.test"]
    subprocess.run(  # noqa: S603
        [*make, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    site.server.socket = tls.wrap_socket(site.server.socket, server_side=True)
    return site


def test_09_sub_domains_share_a_visitor_when_asked_to(site, context, page):
    site.add("/", cookie_domain="shop.test", auto_track_page="false")
    for host in ("www.shop.test", "blog.shop.test"):
        page.goto(site.url(host=host))
        page.wait_for_function(READY)
        page.evaluate(f"_cio.track('{host}')")

    blog = site.wait_for("blog.shop.test")
    assert blog["anonymous_id"] == site.wait_for("www.shop.test")["anonymous_id"]
    assert jar(context)["_cioanonid"]["domain"] == ".shop.test"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "www.shop.test"])
def test_09_cookies_are_else_of_the_host_only(site, context, page, host):
    site.add("/")

    page.goto(site.url(host=host))
    site.wait(lambda: site.messages)

    assert jar(context)["_cioanonid"]["domain"] == host


def test_09_a_public_suffix_is_refused_and_the_page_still_tracks(site, context, page):
    site.add("/", "<script>_cio.identify('7')</script>", cookie_domain="co.uk")

    page.goto(site.url(host="shop.co.uk"))

    view = site.wait(lambda: site.of("page"))[0]
    assert view["id"] == "7"
    assert view["anonymous_id"] == site.of("identify")[0]["anonymous_id"]
    assert jar(context) == {}


@pytest.mark.parametrize("id", ["Ådä 😀", "a;b=c, d", "100%", "%41", 'q"uo\\te', "a+b/c?d&e"])
def test_10_any_id_survives_the_cookie(site, context, visit, id):
    page = visit()

    page.evaluate("id => { _cio.identify({id}); _cio.track('after') }", id)

    assert site.wait_for("after")["id"] == id
    assert page.evaluate("[_cio._findCustomer(), encodeURIComponent(_cio._findCustomer())]") == [
        id,
        value(context, "_cioid"),
    ]


def test_11_messages_are_anonymous_before_identify_and_the_persons_after(site, visit):
    page = visit()

    page.evaluate("_cio.track('before'), _cio.identify('7'), _cio.track('after')")

    before, after = site.wait_for("before"), site.wait_for("after")
    assert "id" not in before
    assert after["id"] == "7"
    assert after["anonymous_id"] == before["anonymous_id"]


def test_12_reset_forgets_but_what_was_queued_stays_as_it_was(site, context, visit):
    page = visit()

    page.evaluate("_cio.identify('7'), _cio.track('old'), _cio.reset(), _cio.track('new')")

    old, new = site.wait_for("old"), site.wait_for("new")
    assert old["id"] == "7"
    assert "id" not in new
    assert new["anonymous_id"] != old["anonymous_id"]
    assert value(context, "_cioid") is None
    assert value(context, "_cioanonid") == new["anonymous_id"]


def test_12_a_retry_keeps_the_identity_of_the_call(site, visit):
    site.answers.append(Answer(503))
    page = visit()

    page.evaluate("_cio.identify('7')")
    site.wait(lambda: site.posts)
    page.evaluate("_cio.reset()")

    again = site.wait(lambda: site.posts[1:])[0]
    assert again.body["retry"] == 1
    assert again.body["messages"] == site.posts[0].body["messages"]


def test_13_another_tab_is_the_same_visitor_at_its_next_call(site, context, visit):
    page = visit()
    other = context.new_page()
    other.goto(site.url())
    other.wait_for_function(READY)

    page.evaluate("_cio.identify('7')")
    other.evaluate("_cio.track('as 7')")
    page.evaluate("_cio.reset()")
    other.evaluate("_cio.track('as nobody')")

    assert site.wait_for("as 7")["id"] == "7"
    assert "id" not in site.wait_for("as nobody")
    assert site.wait_for("as nobody")["anonymous_id"] == value(context, "_cioanonid")


def test_14_what_the_server_sets_is_seen_without_a_reload(site, visit):
    page = visit()
    site.pages["/login"] = site.pages["/logout"] = ""

    site.headers = (("Set-Cookie", "_cioid=42; path=/"),)
    page.evaluate("fetch('/login').then(() => _cio.track('in'))")
    entered = site.wait_for("in")
    site.headers = (
        ("Set-Cookie", "_cioid=; path=/; max-age=0"),
        ("Set-Cookie", "_cioanonid=fresh; path=/"),
    )
    page.evaluate("fetch('/logout').then(() => _cio.track('out'))")

    assert entered["id"] == "42"
    assert "id" not in site.wait_for("out")
    assert site.wait_for("out")["anonymous_id"] == "fresh"
