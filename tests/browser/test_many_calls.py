"""Thousands of calls: each arrives once, nothing of them stays, and none holds the page up."""

from __future__ import annotations

import json

import pytest

from tests.browser.conftest import STORED

pytestmark = pytest.mark.browser("chromium", "firefox")

READY = "_cio.cookieNamespace === '_cio'"
CALLS = 10_000
MOST = 1_000  # calls that a page keeps until they are sent
LONG = 50_000  # microseconds: https://w3c.github.io/longtasks/
MEMORY = 200_000  # bytes

# As a busy page calls: 25 times in a task, and on when all of 500 are gone.
CALL = f"""async calls => {{
  const pause = time => new Promise(done => setTimeout(done, time))
  for (let n = 0; n < calls; n++) {{
    _cio.track('n', {{n}})
    if (n % 25 === 24) await pause(0)
    while (n % 500 === 499 && {STORED}) await pause(20)
  }}
}}"""


@pytest.fixture
def home(site, page):
    page.goto(site.add("/", auto_track_page="false"))
    page.wait_for_function(READY)
    return page


def test_44_of_the_calls_in_one_task_a_thousand_wait_and_each_arrives_once(site, home):
    waiting = home.evaluate(f"for (let n = 0; n < 1200; n++) _cio.track('n', {{n}}); {STORED}")

    assert waiting == MOST
    home.wait_for_function(f"{STORED} === 0")
    assert numbers(site) == list(range(MOST))


@pytest.mark.browser("firefox")  # in Chromium the next one shows it
def test_44_of_ten_thousand_calls_each_arrives_once(site, home):
    home.evaluate(CALL, CALLS)

    assert numbers(site) == list(range(CALLS))


@pytest.mark.browser("chromium")  # Firefox tells neither
def test_44_ten_thousand_calls_arrive_and_leave_no_memory_and_no_long_task(site, browser, home):
    before = heap(home)
    browser.start_tracing(page=home, categories=["-*", "devtools.timeline", "v8.execute"])
    home.evaluate(CALL, CALLS)
    trace = json.loads(browser.stop_tracing())["traceEvents"]

    assert numbers(site) == list(range(CALLS))
    assert max(busy(trace)) < LONG
    assert heap(home) - before < MEMORY


def numbers(site):
    """Return the number of each call that was sent, repeats included."""
    return [message["data"]["n"] for post in site.posts for message in post.body["messages"]]


def busy(trace):
    """Return the microseconds that each timer and each answer kept the page's thread at work.

    Not those that passed: on a busy machine a thread also waits for its turn.
    """
    return [one["tdur"] for one in trace if one["name"] in ("TimerFire", "RunMicrotasks")]


def heap(page):
    """Return the bytes that are in use once all is collected that nobody needs."""
    tools = page.context.new_cdp_session(page)
    tools.send("HeapProfiler.collectGarbage")
    return tools.send("Runtime.getHeapUsage")["usedSize"]
