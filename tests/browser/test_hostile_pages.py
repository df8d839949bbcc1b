"""Pages that forbid, break or fake what the script stands on."""

from __future__ import annotations

import base64
import hashlib

import pytest

from identity_tracking import assets
from tests.browser.conftest import Answer, tag

pytestmark = pytest.mark.browser("chromium", "firefox")

ALLOW_ANY = (
    ("Access-Control-Allow-Origin", "null"),
    ("Access-Control-Allow-Credentials", "true"),
)
READY = "_cio.cookieNamespace === '_cio'"
FILL = """() => {
    for (let size = 2 ** 22; size >= 1; size /= 2)
      try { for (let i = 0; ; i++) localStorage['full' + size + i] = 'x'.repeat(size) } catch {}
}"""
BROKEN = """new Proxy({}, Object.fromEntries(
    ['get', 'set', 'deleteProperty', 'ownKeys', 'has', 'getOwnPropertyDescriptor'].map(
        trap => [trap, () => { throw Error('broken') }])))"""
CALLS = "<script>_cio.identify('7'), _cio.track('one', {list: [1]})</script>"
THROUGH = "= (real => function () { return real.apply(this, arguments) })"
WRAPPED = {
    "fetch": f"window.fetch {THROUGH}(fetch)",
    "stringify": f"JSON.stringify {THROUGH}(JSON.stringify)",
    "parse": f"JSON.parse {THROUGH}(JSON.parse)",
    "Promise": "window.Promise = class { constructor() { throw Error('mine') } }",
    "toJSON": "Array.prototype.toJSON = function () { return `[${this}]` }",  # an old library's
    "prototypes": "for (const one of [Array, String, Object]) one.prototype.extra = () => 1",
}


def test_18_in_memory_mode_touches_no_storage_and_still_retries(site, context, page):
    site.answers.append(Answer(503))
    page.add_init_script("""
        window.touched = []
        for (const [owner, name] of [[Document.prototype, 'cookie'], [window, 'localStorage'],
                                     [window, 'sessionStorage'], [window, 'indexedDB']]) {
          const use = () => { touched.push(name) }
          Object.defineProperty(owner, name, {get: use, set: use})
        }
    """)
    page.goto(site.add("/", enable_in_memory_storage="true"))
    page.wait_for_function(READY)
    page.evaluate("_cio.identify('7'), _cio.track('me'), _cio.reset(), _cio.track('nobody')")

    first, again = site.wait(lambda: site.posts[1:] and site.posts[:2])

    me, nobody = site.wait_for("me"), site.wait_for("nobody")
    assert again.body["retry"] == 1
    assert first.body["renew"] is False
    assert me["id"] == "7"
    assert me["anonymous_id"] == site.of("page")[0]["anonymous_id"] != nobody["anonymous_id"]
    assert page.evaluate("touched") == []
    assert context.cookies() == []


def test_19_blocked_cookies_and_storage_leave_one_visitor_a_page(site, page):
    page.add_init_script("""
        Object.defineProperty(Document.prototype, 'cookie', {get: () => '', set() {}})
        Object.defineProperty(window, 'localStorage', {get() { throw Error('blocked') }})
    """)
    page.goto(site.add("/"))
    page.wait_for_function(READY)

    page.evaluate("_cio.identify('7'), _cio.track('me')")

    assert site.wait_for("me")["id"] == "7"
    assert len({m["anonymous_id"] for m in site.messages}) == 1


def test_19_a_full_storage_does_not_stop_delivery(site, page):
    page.goto(site.add("/", auto_track_page="false"))
    page.wait_for_function(READY)
    page.evaluate(FILL)

    page.evaluate("_cio.track('one'), _cio.track('two')")

    site.wait_for("two")
    assert [m["name"] for m in site.messages] == ["one", "two"]


def test_19_a_full_storage_stops_neither_links_nor_handlers(site, page):
    site.pages["/"] = "<title>full</title>"
    page.goto(site.url())
    page.evaluate(FILL)

    listen = "<script>_cio.on('track', () => window.told = true), _cio.track('one')</script>"
    site.add("/p", listen)
    page.goto(site.url("/p?_cio_id=c0ffee"))

    assert site.wait(lambda: site.of("page"))[0]["url"] == site.url("/p")
    assert [m["type"] for m in site.messages] == ["link", "track", "page"]
    assert page.url == site.url("/p")
    assert page.evaluate("told")


@pytest.mark.parametrize("memory", ["true", "false"], ids=["in memory", "blocked"])
def test_18_and_19_without_storage_nothing_is_looked_for_that_was_left(site, page, memory):
    if memory == "false":
        page.add_init_script(
            "Object.defineProperty(window, 'localStorage', {get() { throw Error('blocked') }})"
        )
    page.goto(site.add("/", enable_in_memory_storage=memory))
    site.wait(lambda: site.posts)

    page.wait_for_timeout(2500)  # the page has settled; an error in it fails the test

    assert len(site.posts) == 1


@pytest.mark.parametrize("storage", ["null", BROKEN], ids=["none", "broken"])
def test_19_without_a_storage_that_works_the_cookies_still_do(site, context, page, storage):
    page.add_init_script(f"Object.defineProperty(window, 'localStorage', {{value: {storage}}})")
    page.goto(site.add("/"))
    page.wait_for_function(READY)

    page.evaluate("_cio.identify('7'), _cio.track('one')")
    site.wait_for("one")
    page.evaluate("_cio.track('two')")

    assert site.wait_for("two")["id"] == "7"
    assert {cookie["name"] for cookie in context.cookies()} == {"_cioanonid", "_cioid"}
    assert [m["type"] for m in site.messages] == ["page", "identify", "track", "track"]
    page.wait_for_timeout(2500)  # the page has settled; an error in it fails the test
    assert sum(len(post.body["messages"]) for post in site.posts) == 4


def test_19_a_sandboxed_frame_tracks_from_memory(site, page):
    site.add("/inner", "<script>_cio.identify('7')</script>")
    site.pages["/"] = '<iframe sandbox="allow-scripts" src="/inner?_cio_id=x"></iframe>'
    site.otherwise = Answer(headers=ALLOW_ANY)

    page.goto(site.url())

    view = site.wait(lambda: site.of("page"))[0]
    assert view["id"] == "7"
    assert view["url"] == site.url("/inner")


@pytest.mark.parametrize("by", ["nonce", "hash"])
def test_35_a_strict_policy_by_nonce_or_hash_is_enough(site, page, by):
    stub = base64.b64encode(hashlib.sha256(assets.stub().encode()).digest()).decode()
    sources = "'nonce-n0nce'" if by == "nonce" else f"'sha256-{stub}' 'self'"
    site.headers = (
        (
            "Content-Security-Policy",
            f"default-src 'none'; script-src {sources}; connect-src 'self'; base-uri 'none'",
        ),
    )
    url = site.add("/")
    if by == "nonce":
        site.pages["/"] = site.pages["/"].replace("<script", "<script nonce=n0nce")

    page.goto(url)

    assert site.wait(lambda: site.of("page"))


def test_36_trusted_types_are_respected(site, page):
    policy = "require-trusted-types-for 'script'; trusted-types 'none'"
    site.headers = (("Content-Security-Policy", policy),)

    page.goto(site.add("/p"))
    page.wait_for_function(READY)
    page.evaluate("history.pushState({}, '', '/q'), _cio.identify('7')")

    assert site.wait(lambda: site.of("identify"))


@pytest.mark.case("XSS-16")
def test_xss_16_a_polluted_prototype_redirects_and_adds_nothing(site, page):
    page.add_init_script("""
        for (const name of ['url', 'endpoint', 'id', 'email', 'name', 'data', 'title', 'referrer',
                            'headers', 'mode', 'credentials', 'renew', 'retry', 'siteId',
                            'cookieDomain', 'cio_id', 'anonymous_id', 'site_id', 'body', 'time'])
          Object.prototype[name] = 'https://evil.test/'
    """)
    page.goto(site.add("/p"))
    page.wait_for_function(READY)
    page.evaluate("_cio.identify('7'), _cio.track('t', {a: 1}), _cio.identify({})")
    page.evaluate("_cio.track('end')")

    site.wait_for("end")
    assert not any("evil" in post.text for post in site.posts)
    assert {post.path for post in site.posts} == {"/people/visit/"}
    assert len(site.messages) == 4


@pytest.mark.case("XSS-16")
@pytest.mark.browser("chromium")
def test_xss_16_the_script_names_its_own_endpoint(site, page):
    page.add_init_script("Object.prototype.endpoint = Object.prototype.url = 'https://evil.test/'")
    url = site.add("/p")
    site.pages["/p"] = site.pages["/p"].replace(' data-endpoint="/people/visit/"', "")

    page.goto(url)

    assert site.wait(lambda: site.posts)[0].path == "/people/visit/"


@pytest.mark.case("XSS-17")
@pytest.mark.parametrize(
    "clobber",
    [
        "<a id=_cio></a><form id=cio-tracker><input name=dataset></form>",
        "<img name=currentScript><img name=cookie><img name=referrer><img name=hidden>",
        "<img name=title><form name=prerendering></form><a id=navigation></a>",
        "<img name=getElementById><img name=addEventListener><img name=currentScript>",
    ],
)
def test_xss_17_clobbered_names_break_nothing(site, page, clobber):
    site.pages["/"] = f"<!doctype html>{clobber}<script>{assets.stub()}</script>{tag()}"

    page.goto(site.url(), wait_until="load")
    page.evaluate("_cio.identify('7'), _cio.track('still here')")

    page.evaluate("new Promise(requestAnimationFrame)")  # errors are told by now


@pytest.mark.case("XSS-17")
def test_xss_17_the_element_of_the_case_is_not_the_script(site, page):
    clobber = "<a id=_cio></a><form id=cio-tracker><input name=dataset></form>"
    site.pages["/"] = f"<!doctype html>{clobber}<script>{assets.stub()}</script>{tag()}"

    page.goto(site.url())

    assert site.wait(lambda: site.of("page"))[0]["url"] == site.url()


@pytest.mark.parametrize("builtin", WRAPPED)
def test_37_builtins_that_a_page_wraps_or_replaces_are_good_enough(site, page, builtin):
    page.goto(site.add("/", CALLS, before=WRAPPED[builtin]))

    assert site.wait_for("one")["id"] == "7"
    site.wait(lambda: len(site.messages) == 3)
    assert [m["type"] for m in site.messages] == ["identify", "track", "page"]


def test_37_a_fetch_that_looks_into_an_address_finds_text(site, page):
    look = "if (address.includes('/api/')) throw Error('mine')"
    wrapped = f"(address, rest) => {{ {look}; return real(address, rest) }}"
    url = site.add("/", CALLS, before=f"var real = fetch; window.fetch = {wrapped}")
    site.pages["/"] = site.pages["/"].replace(' data-endpoint="/people/visit/"', "")

    page.goto(url)

    site.wait(lambda: len(site.messages) == 3)
    assert len(site.posts) == 1


@pytest.mark.parametrize("answer", ["{ throw Error('mine') }", "{}"])
def test_37_what_a_broken_fetch_did_not_take_is_sent_once_it_is_mended(site, page, answer):
    page.goto(site.add("/", CALLS, before=f"var real = fetch; window.fetch = () => {answer}"))
    page.wait_for_function(READY)
    assert site.posts == []

    page.evaluate("window.fetch = real")

    site.wait(lambda: len(site.messages) == 3)


def test_37_json_that_throws_breaks_nothing(site, page):
    page.goto(site.add("/", before="var real = JSON.stringify"))
    page.wait_for_function(READY)

    page.evaluate("""() => {
        JSON.stringify = () => { throw Error('mine') }
        _cio.identify('7'), _cio.track('lost')
        JSON.stringify = real
        _cio.track('kept')
    }""")

    assert site.wait_for("kept")["id"] == "7"
