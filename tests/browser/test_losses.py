"""Losses: none, however a page is left, and whatever the network, the browser or the clock does."""

from __future__ import annotations

import os
import signal
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.browser.conftest import PATIENCE, STORED, Answer, launch_options

pytestmark = pytest.mark.browser("chromium", "firefox")

NAVIGATIONS = int(os.environ.get("NAVIGATIONS", "24"))
READY = "_cio.cookieNamespace === '_cio'"
NEVER = threading.Event()
HELD = Answer(after=NEVER, at_most=0.4)  # on loopback all that is answered at once arrives
TROUBLE = {
    "500": Answer(500),
    "503": Answer(503, (("Retry-After", "10"),)),
    "503, come back at once": Answer(503, (("Retry-After", "1"),)),
    "429": Answer(429),
    "reset": Answer(0),
    "redirect": Answer(302, (("Location", "/login"),)),
}
QUIET = {"auto_track_page": "false"}

# Goes from page to page by itself, and keeps a log of its own; no cache of pages takes it.
WALK = """<script>
  const n = Number(location.search.slice(1))
  addEventListener('unload', () => {})
  addEventListener('pagehide', event => {
    _cio.track('bye', {n})
    sessionStorage.left = `${sessionStorage.left ?? ''}${n},${event.persisted} `
  })
  addEventListener('load', () => setTimeout(() => {
    location.href = n + 1 < %d ? `?${n + 1}` : '/end'
  }))
</script>"""
LAST_WORDS = "<script>addEventListener('pagehide', () => _cio.track('bye'))</script>"
COUNT_FLYING = """
    const real = fetch
    window.flying = 0
    window.fetch = (...args) => { flying++; return real(...args).finally(() => flying--) }
"""


@pytest.fixture
def visit(site, page):
    def visit(html="", path="/"):
        page.goto(site.add(path, html, **QUIET))
        page.wait_for_function(READY)
        return page

    return visit


@pytest.fixture
def later(page):
    """Let the page's clock, which is not the machine's, go on by so many seconds."""
    page.clock.install()
    page.add_init_script(COUNT_FLYING)

    def later(seconds):
        for _ in range(seconds):
            page.clock.run_for(1000)
            page.wait_for_function("flying === 0")

    return later


def sent(site, site_id="shop"):
    """Return the names of all messages that pages with this ``site_id`` sent, repeats included."""
    bodies = [post.body for post in site.posts]
    ours = [body for body in bodies if body["site_id"] == site_id]
    return [message["name"] for body in ours for message in body["messages"]]


def test_24_no_event_of_a_page_that_is_left_is_lost(site, page):
    site.otherwise = HELD
    site.headers = (("Cache-Control", "no-store"),)
    site.pages["/end"] = "<title>end</title>"
    site.add("/walk", WALK % NAVIGATIONS)

    page.goto(site.url("/walk?0"))
    page.wait_for_url("**/end", timeout=(PATIENCE + NAVIGATIONS) * 1000)

    left = page.evaluate("sessionStorage.left").split()
    assert left == [f"{n},false" for n in range(NAVIGATIONS)]
    site.wait(lambda: len(site.of("track")) == len(site.of("page")) == NAVIGATIONS)
    assert sorted(m["data"]["n"] for m in site.of("track")) == list(range(NAVIGATIONS))


@pytest.mark.parametrize(
    "way",
    [
        "<a id=out href=/next onclick=\"_cio.track('out')\">Next</a>",
        "<form action=/next onsubmit=\"_cio.track('out')\"><button id=out>Go</button></form>",
        "<form action={} onsubmit=\"_cio.track('out')\"><button id=out>Go</button></form>",
    ],
    ids=["link", "form", "form to another site"],
)
def test_25_and_41_what_is_tracked_on_the_way_out_arrives(site, page, way):
    site.otherwise = HELD
    site.pages["/next"] = "<title>next</title>"
    site.add("/", way.format(site.url("/next", host="bank.test")), **QUIET)
    page.goto(site.url(host="shop.test"))
    page.wait_for_function(READY)

    page.evaluate("out.click()")

    site.wait_for("out")
    site.wait(lambda: any(path.startswith("/next") for path in site.fetched))
    assert sent(site) == ["out"]


def test_26_what_a_tab_tracked_before_it_was_closed_arrives(site, context):
    close_a_tab(site, context)

    site.wait_for("before")


@pytest.mark.browser("chromium")  # Firefox loses some: docs/browsers.md
def test_26_what_a_tab_tracked_as_it_was_closed_arrives(site, context):
    close_a_tab(site, context)

    site.wait_for("bye")


def close_a_tab(site, context):
    site.otherwise = HELD
    tab = context.new_page()
    tab.goto(site.add("/", LAST_WORDS, **QUIET))
    tab.wait_for_function(READY)

    tab.evaluate("_cio.track('before')")
    tab.close(run_before_unload=True)


def test_27_a_minute_offline_delays_but_loses_nothing(site, context, page, visit, later):
    visit()
    names = [f"n{i}" for i in range(50)]

    context.set_offline(True)
    page.evaluate("let i = 0; setInterval(() => i < 50 && _cio.track('n' + i++), 1200)")
    later(60)
    assert site.posts == []
    context.set_offline(False)
    page.clock.fast_forward("05:00")

    page.wait_for_function(f"{STORED} === 0")
    assert sent(site) == names


@pytest.mark.parametrize("answer", TROUBLE.values(), ids=TROUBLE)
def test_28_a_server_in_trouble_is_asked_8_times_a_minute_at_most(site, visit, later, answer):
    site.otherwise = answer
    page = visit()

    page.evaluate("_cio.track('one')")
    later(60)

    assert 4 <= len(site.posts) <= 8
    site.otherwise = Answer()
    page.clock.fast_forward("05:00")
    page.wait_for_function(f"{STORED} === 0")


@pytest.fixture
def start(browser, tmp_path):
    """Start a browser of its own, always with the same profile, and return its page."""
    kind, started = browser.browser_type, []

    def start():
        started.append(kind.launch_persistent_context(tmp_path, **launch_options(kind.name)))
        return started[-1].pages[0]

    yield start
    for one in started:
        one.close()


@pytest.mark.slow
def test_30_what_waited_when_the_browser_was_killed_is_sent_when_it_is_back(site, start, tmp_path):
    site.otherwise = Answer(503)
    page = start()
    page.goto(site.add("/", **QUIET))
    page.wait_for_function(READY)
    page.evaluate("_cio.track('waits')")
    site.wait_for("waits")
    wait_until_written(site.messages[0]["message_id"], tmp_path)
    kill(tmp_path)
    site.otherwise = Answer()

    page = start()
    page.goto(site.add("/", **QUIET, site_id="back"))  # tells its posts from the first page's

    page.wait_for_function(f"{READY} && {STORED} === 0")
    assert sent(site, "back") == ["waits"]


def wait_until_written(text, profile):
    """Wait until a browser has written ``text``: it does so seconds after the page."""
    deadline = time.monotonic() + PATIENCE
    while not any(text.encode() in written for written in storage(profile)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def storage(profile):
    """Yield what the files hold in which Chromium and Firefox keep the storage of pages."""
    for folder in ("Default/Local Storage", "storage/default"):
        for file in (profile / folder).rglob("*.*"):
            with suppress(OSError):  # a folder, or compacted away
                yield file.read_bytes()


def kill(profile):
    """Kill all processes of the browser that has this profile."""
    for line in Path("/proc").glob("[1-9]*/cmdline"):
        with suppress(OSError):  # it is gone already
            if str(profile).encode() in line.read_bytes():
                os.kill(int(line.parent.name), signal.SIGKILL)


def test_31_two_tabs_send_what_was_left_once_each_at_most(site, context, visit):
    site.pages["/away"] = "<title>away</title>"
    site.otherwise = Answer(503)
    page = visit()
    page.evaluate("for (let i = 0; i < 5; i++) _cio.track('n' + i)")
    site.wait(lambda: site.posts)
    page.goto(site.url("/away"))
    site.otherwise = HELD
    both = site.add("/tab", **QUIET, site_id="tab")  # tells its posts from the first page's

    tabs = [page, context.new_page()]
    for tab in tabs:
        tab.goto(both)
    for tab in tabs:
        tab.wait_for_function(f"{READY} && {STORED} === 0")

    delivered = sent(site, "tab")
    assert all(1 <= delivered.count(f"n{i}") <= 2 for i in range(5))


def test_32_a_burst_of_360_kb_is_not_lost_with_the_page(site, page, visit):
    visit()
    site.add("/next", **QUIET)

    page.evaluate("for (let i = 0; i < 360; i++) _cio.track('n' + i, {text: 'x'.repeat(1000)})")
    page.goto(site.url("/next"))

    page.wait_for_function(f"{READY} && {STORED} === 0")
    assert {m["name"] for m in site.messages} == {f"n{i}" for i in range(360)}
    assert max(len(post.text) for post in site.posts) < 65_536


@pytest.mark.parametrize("days", [-1, 1])
def test_33_a_clock_that_is_moved_by_a_day_loses_nothing(site, page, visit, later, days):
    site.answers.append(Answer(503))
    visit()
    page.evaluate("_cio.track('before')")
    site.wait(lambda: site.posts)

    moved = page.evaluate("Date.now()") / 1000 + days * 86_400
    page.clock.set_system_time(moved)
    page.evaluate("_cio.track('after')")
    later(5)

    page.wait_for_function(f"{STORED} === 0")
    assert sent(site)[-2:] == ["before", "after"]
    assert site.wait_for("after")["time"] >= moved * 1000
