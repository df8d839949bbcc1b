"""One first visit to a page with a script in it, measured: requests, the JavaScript run, heap.

Everything is asked of the browser, by a trace and its debugging protocol: nothing of ours runs in
the page. A visit has a new profile, so that nothing is cached, neither files nor compiled code.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.conftest import find_browser
from tests.peers.collector import SHOP, Collector
from tests.peers.trackers import Tracker

FLAGS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-blink-features=AutomationControlled",  # some scripts ignore a browser that is driven
]
CATEGORIES = ["devtools.timeline", "v8.execute"]
RUNS = {  # of a trace's events: JavaScript is compiled or run
    "EvaluateScript",
    "FunctionCall",
    "RunMicrotasks",
    "v8.compile",
    "v8.compileModule",
    "v8.evaluateModule",
}
FILES = RUNS - {"FunctionCall", "RunMicrotasks"}  # a whole script is, from top to bottom
MAIN = "CrRendererMain"
NOBODY = "nobody.localhost"

Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Visit:
    """What one visit took. Times are of the main thread's processor, in milliseconds."""

    script: float  # the script's file, compiled and run from top to bottom
    javascript: float  # all that ran in the page
    heap: int  # bytes, after garbage collection
    requests: list[tuple[str, str]]  # method and path


class Visitor:
    """A browser in which nobody has been anywhere."""

    def __init__(self, browser: Browser, collector: Collector) -> None:
        self.browser = browser
        self.collector = collector
        system = "Mozilla/5.0 (X11; Linux x64) AppleWebKit/537.36 (KHTML, like Gecko)"
        self.name = f"{system} Chrome/{browser.version} Safari/537.36"  # not "HeadlessChrome"

    def visit(self, tracker: Tracker | None, *, quiet: float) -> Visit:
        """Visit the page with this script, or with none.

        It ends when the page view and both calls have arrived, and ``quiet`` seconds passed.
        """
        return self._visit(tracker, "", quiet)

    def visit_idle(self, tracker: Tracker, *, quiet: float) -> Visit:
        """Visit the page with this script on which nothing is called, for ``quiet`` seconds."""
        return self._visit(tracker, "/idle", quiet)

    def _visit(self, tracker: Tracker | None, idle: str, quiet: float) -> Visit:
        host = tracker.host if tracker else NOBODY
        self.collector.requests[host] = []
        context = self.browser.new_context(user_agent=self.name)
        page = context.new_page()
        with self._traced(page) as events:
            page.goto(f"{self.collector.origin(SHOP)}/{host}{idle}")
            if tracker and not idle:
                self.collector.wait_for(tracker)
            page.wait_for_timeout(quiet * 1000)
        heap = _heap(page)
        requests = [(one.method, one.path) for one in self.collector.requests[host]]
        context.close()
        ran = _main_thread(events)
        return Visit(
            script=_spent(one for one in ran if one["name"] in FILES and _is_of(one, host)),
            javascript=_spent(one for one in ran if one["name"] in RUNS),
            heap=heap,
            requests=requests,
        )

    @contextmanager
    def _traced(self, page: Page) -> Iterator[list[Event]]:
        events: list[Event] = []
        self.browser.start_tracing(page=page, categories=CATEGORIES)
        yield events
        events += json.loads(self.browser.stop_tracing())["traceEvents"]


@contextmanager
def visiting(collector: Collector) -> Iterator[Visitor]:
    """Start the Chromium of this machine."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=FLAGS)
        yield Visitor(browser, collector)
        browser.close()


def _heap(page: Page) -> int:
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return int(session.send("Runtime.getHeapUsage")["usedSize"])


def _main_thread(events: list[Event]) -> list[Event]:
    """Return what the page's main thread did. The browser's own pages are traced too."""
    mains = {_thread(one) for one in events if one.get("args", {}).get("name") == MAIN}
    pages = {_thread(one) for one in events if f"//{SHOP}" in _url(one)}
    return [one for one in events if one["ph"] == "X" and _thread(one) in mains & pages]


def _spent(events: Iterable[Event]) -> float:
    """Sum the processor's time, without what is inside of another event."""
    total = end = 0
    for one in sorted(events, key=lambda one: (one["ts"], -one["dur"])):
        if one["ts"] >= end:
            end = one["ts"] + one["dur"]
            total += one["tdur"]
    return total / 1000


def _is_of(event: Event, host: str) -> bool:
    return f"//{host}" in _url(event) or event["name"] == "v8.evaluateModule"  # has no address


def _thread(event: Event) -> tuple[int, int]:
    return event["pid"], event["tid"]


def _url(event: Event) -> str:
    data = event.get("args", {}).get("data")
    return str(data.get("url", "")) if isinstance(data, dict) else ""
