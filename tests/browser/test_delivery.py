"""Delivery: once, even by a bad network; and cookies that a late answer cannot turn back."""

from __future__ import annotations

import threading

import pytest

from tests.browser.conftest import STORED, Answer

pytestmark = pytest.mark.browser("chromium", "firefox")

READY = "_cio.cookieNamespace === '_cio'"
IMPATIENT = """
    AbortSignal.timeout = milliseconds => {
        const clock = new AbortController()
        window.patience = milliseconds
        window.giveUp = () => clock.abort(new DOMException('', 'TimeoutError'))
        return clock.signal
    }
"""  # the browser's clock of a request, in the hands of the test


@pytest.fixture
def visit(site, page):
    def visit(**settings):
        page.goto(site.add("/", **{"auto_track_page": "false", **settings}))
        page.wait_for_function(READY)
        return page

    return visit


def test_what_was_delivered_is_forgotten(site, visit):
    page = visit()

    stored = page.evaluate(f"_cio.track('one'), {STORED}")

    assert stored == 1
    page.wait_for_function(f"{STORED} === 0")
    assert len(site.posts) == 1


@pytest.mark.case("SDK-07")
@pytest.mark.browser("chromium")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_28_a_refusal_for_now_is_tried_again(site, visit, status):
    site.answers.append(Answer(status))
    page = visit()

    page.evaluate("_cio.track('one')")

    first, second = site.wait(lambda: site.posts[1:] and site.posts[:2])
    assert first.body["messages"] == second.body["messages"]
    assert (first.body["retry"], second.body["retry"]) == (0, 1)
    page.wait_for_function(f"{STORED} === 0")


@pytest.mark.case("SDK-06")
def test_28_retry_after_is_honoured(site, visit):
    site.answers.append(Answer(503, (("Retry-After", "2"),)))
    page = visit()

    page.evaluate("_cio.track('one')")
    site.wait(lambda: site.posts[1:])

    first, second = site.posts
    assert second.body["sent_at"] - first.body["sent_at"] >= 2000


def test_28_an_answer_that_never_comes_is_waited_for_so_long_and_no_longer(site, page):
    page.add_init_script(IMPATIENT)
    site.answers.append(Answer(after=threading.Event()))
    page.goto(site.add("/", auto_track_page="false"))
    page.wait_for_function(READY)

    page.evaluate("_cio.track('one')")
    site.wait(lambda: site.posts)
    page.evaluate("_cio.track('two')")
    page.evaluate("giveUp()")

    first, second = site.wait(lambda: site.posts[1:] and site.posts)
    assert page.evaluate("patience") == 100_000
    assert [m["name"] for m in second.body["messages"]] == ["one", "two"]
    assert second.body["messages"][:1] == first.body["messages"]
    page.wait_for_function(f"{STORED} === 0")


@pytest.mark.case("SDK-07")
@pytest.mark.browser("chromium")
@pytest.mark.parametrize("status", [400, 401, 403, 404, 413])
def test_29_a_refusal_for_good_is_not(site, visit, status):
    site.answers.append(Answer(status))
    page = visit()

    page.evaluate("_cio.track('refused')")
    page.wait_for_function(f"{STORED} === 0")
    page.evaluate("_cio.track('next')")

    site.wait_for("next")
    assert [len(post.body["messages"]) for post in site.posts] == [1, 1]


@pytest.mark.case("SDK-07")
@pytest.mark.browser("chromium")
def test_29_too_large_a_batch_is_halved(site, visit):
    site.answers.extend([Answer(413), Answer(413)])
    page = visit()

    page.evaluate("for (let i = 0; i < 4; i++) _cio.track('n' + i, {text: 'x'.repeat(4500)})")

    page.wait_for_function(f"{STORED} === 0")
    assert [len(post.body["messages"]) for post in site.posts] == [4, 2, 1, 3]


@pytest.mark.case("SDK-02")
def test_28_a_page_shown_again_keeps_to_the_pause(site, visit):
    site.answers.append(Answer(503, (("Retry-After", "2"),)))
    page = visit()
    page.evaluate("_cio.track('one')")
    site.wait(lambda: site.posts)
    page.wait_for_timeout(500)

    page.evaluate("dispatchEvent(new Event('visibilitychange'))")

    site.wait(lambda: site.posts[1:])
    first, second = site.posts
    assert second.body["sent_at"] - first.body["sent_at"] >= 2000


def test_32_no_body_is_larger_than_the_keepalive_allowance(site, visit):
    page = visit()

    page.evaluate("for (let i = 0; i < 40; i++) _cio.track('n' + i, {text: 'é'.repeat(4000)})")

    site.wait_for("n39")
    page.wait_for_function(f"{STORED} === 0")
    assert len(site.messages) == 40
    assert max(len(post.text.encode()) for post in site.posts) < 65_536


@pytest.mark.case("SDK-01")
def test_an_event_of_the_last_moment_arrives(site, page):
    site.add("/", "<script>addEventListener('pagehide', () => _cio.track('bye'))</script>")
    site.add("/next")
    page.goto(site.url())
    site.wait(lambda: site.of("page"))

    page.goto(site.url("/next"))

    site.wait_for("bye")


@pytest.mark.case("SDK-02", "SDK-08")
def test_what_a_page_could_not_deliver_the_next_one_does(site, visit):
    site.otherwise = Answer(503)
    page = visit()
    page.evaluate("_cio.identify('7'), _cio.track('left')")
    site.wait(lambda: site.posts)
    site.otherwise = Answer()
    delivered = len(site.posts)

    page.goto(site.add("/next", auto_track_page="false"))

    later = site.wait(lambda: [p for p in site.posts[delivered:] if "left" in p.text])[0]
    assert {m["id"] for m in later.body["messages"]} == {"7"}
    page.wait_for_function(f"{STORED} === 0")


def test_cookies_are_renewed_once_a_day(site, visit):
    page = visit()

    page.evaluate("_cio.track('first')")
    page.wait_for_function(f"{STORED} === 0")
    page.evaluate("_cio.track('second')")
    site.wait_for("second")

    assert [post.body.get("renew") for post in site.posts] == [True, False]
    assert page.evaluate("localStorage['_cio:r']")


def test_cookies_are_renewed_also_of_who_comes_every_day(site, visit):
    page = visit()
    page.evaluate("localStorage['_cio:r'] = Date.now() - Date.now() % 864e5 - 1")  # last night

    page.evaluate("_cio.track('first')")
    site.wait_for("first")

    assert site.posts[0].body["renew"] is True


@pytest.mark.parametrize(
    ("call", "id"), [("_cio.reset()", None), ("_cio.identify('8')", "8")], ids=["reset", "identify"]
)
def test_a_late_answer_does_not_bring_an_old_identity_back(site, context, visit, call, id):
    page = visit()
    page.evaluate("_cio.identify('7')")
    page.wait_for_function(f"{STORED} === 0")
    old = site.messages[0]["anonymous_id"]
    late = threading.Event()
    renewed = [
        ("Set-Cookie", f"_cioanonid={old}; path=/; max-age=600"),
        ("Set-Cookie", "_cioid=7; path=/; max-age=600"),
    ]
    site.answers.append(Answer(200, tuple(renewed), late))

    page.evaluate("_cio.track('held')")
    site.wait_for("held")
    page.evaluate(call)
    late.set()
    page.wait_for_function(f"{STORED} === 0")
    page.evaluate("_cio.track('after')")

    after = site.wait_for("after")
    assert after.get("id") == id
    assert after["anonymous_id"] != old


@pytest.mark.parametrize("way", ["another tab", "the server"])
def test_a_late_answer_does_not_undo_a_change_of_person_elsewhere(site, context, visit, way):
    page, late = visit(), threading.Event()
    other = context.new_page()
    other.goto(site.url())
    other.wait_for_function(READY)
    site.answers.append(Answer(after=late))
    page.evaluate("_cio.track('held')")
    site.wait_for("held")
    page.evaluate("_cio.identify('7')")

    if way == "another tab":
        other.evaluate("_cio.identify('8')")
    else:
        site.pages["/login"] = ""
        site.headers = (("Set-Cookie", "_cioid=8; path=/"), ("Set-Cookie", "_cioanonid=8s; path=/"))
        other.evaluate("fetch('/login').then(() => { window.entered = true })")
        other.wait_for_function("window.entered")
    late.set()
    page.wait_for_function(f"{STORED} === 0")
    other.evaluate("_cio.track('after')")

    assert site.wait_for("after")["id"] == "8"


@pytest.mark.case("SDK-01")
def test_everything_that_waits_goes_when_the_page_is_left(site, visit):
    held = threading.Event()
    site.answers.append(Answer(after=held))
    page = visit()
    page.evaluate("_cio.track('held')")
    site.wait_for("held")
    page.evaluate("for (let i = 0; i < 5; i++) _cio.track('n' + i)")

    page.goto(site.add("/next", auto_track_page="false"), wait_until="commit")

    site.wait(lambda: len(site.of("track")) == 6)
    held.set()
    _, left, *again = [post.body["messages"] for post in site.posts]
    assert len(left) == 5
    assert again in ([], [left])  # by `pagehide`, and by `visibilitychange`


def test_leftovers_of_another_kind_are_left_alone(site, visit):
    foreign = {"_cio:mine": "x", f"_cio:{'z' * 36}": "{"}
    page = visit()
    page.evaluate("all => Object.assign(localStorage, all)", foreign)
    site.answers.append(Answer(503))
    page.evaluate("_cio.track('left')")
    site.wait(lambda: site.posts)

    page.goto(site.add("/next", auto_track_page="false"))

    page.wait_for_function(f"{STORED} === 1")
    assert site.wait_for("left")
    assert foreign.items() <= page.evaluate("({...localStorage})").items()
