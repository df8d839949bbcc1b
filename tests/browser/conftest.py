"""A real browser, and a site of bare pages that records what the script sends and answers at will.

Every test fails on an error in the page or a line in its console: the script leaves neither.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from identity_tracking import assets
from identity_tracking.models import Person
from tests.browser.screens import tell
from tests.conftest import REQUIRED, find_browser

STORED = "Object.keys(localStorage).filter(key => key.length > 9).length"  # waits to be sent
PATIENCE = 15  # seconds: a browser on a busy machine
FLAGS = [
    "--no-sandbox",
    "--headless",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--host-resolver-rules=MAP * 127.0.0.1",  # every name is this machine's
]
PREFERENCES = {
    "network.dns.forceResolve": "127.0.0.1",  # every name is this machine's
    "security.warn_submit_secure_to_insecure": False,  # a dialog, for a form that leaves 127.0.0.1
    "network.cookie.cookieBehavior": 5,  # as Firefox comes: a third party's are apart
}
BROWSERS_OWN = (  # lines in the console that no script can keep away
    "Failed to load resource",
    "Cookie “_cioid” has been rejected",
    "Cookie “_cioanonid” has been rejected",
    "The Cross-Origin-Opener-Policy header has been ignored",  # over HTTP
    "The page’s settings blocked the loading of a resource (img-src)",
)

SCRIPTS = {
    "/people/visitor.js": "visitor",
    "/people/visitor-forms.js": "forms",
    "/js/app.js": "visitor",
}
CLASSIC_STUB = """
var _cio = _cio || [];
(function() {
  var a, b, c; a = function(f) {
    return function() { _cio.push([f].concat(Array.prototype.slice.call(arguments, 0))) }
  };
  b = ["load", "identify", "sidentify", "track", "page"];
  for (c = 0; c < b.length; c++) { _cio[b[c]] = a(b[c]) }
  var t = document.createElement("script"), s = document.getElementsByTagName("script")[0];
  t.async = true; t.id = "cio-tracker";
  t.setAttribute("data-site-id", "shop"); t.setAttribute("data-use-array-params", "true");
  t.src = "/people/visitor.js"; s.parentNode.insertBefore(t, s);
})();
"""


@dataclass(frozen=True)
class Answer:
    """What the site says to one POST, and what it waits for before: so many seconds at most."""

    status: int = 200  # 0: none, the connection is reset
    headers: tuple[tuple[str, str], ...] = ()
    after: threading.Event | None = None
    at_most: float = PATIENCE


@dataclass(frozen=True)
class Post:
    """One request of the script."""

    path: str
    headers: Any
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text)


@dataclass
class Site:
    """Pages by path, and everything that was posted."""

    pages: dict[str, str] = field(default_factory=dict)
    headers: tuple[tuple[str, str], ...] = ()  # of every page
    answers: deque[Answer] = field(default_factory=deque)
    otherwise: Answer = field(default_factory=Answer)
    posts: list[Post] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)
    script: threading.Event = field(default_factory=threading.Event)  # set: it is served
    changed: threading.Condition = field(default_factory=threading.Condition)
    server: Any = None

    def url(self, path: str = "/", host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server.server_port}{path}"

    def add(self, path: str, html: str = "", *, before: str = "", **settings: str) -> str:
        """Serve ``html`` with the snippet above it, ``before`` run above that; return its URL."""
        first = f"<script>{before}</script>" if before else ""
        self.pages[path] = (
            f"<!doctype html><title>{path}</title>{first}"
            f"<script>{assets.stub()}</script>{tag(**settings)}{html}"
        )
        return self.url(path)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Every message once, in the order of arrival."""
        known: dict[str, dict[str, Any]] = {}
        for post in list(self.posts):
            for message in post.body["messages"]:
                known.setdefault(message["message_id"], message)
        return list(known.values())

    def of(self, type: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["type"] == type]

    def wait(self, done: Callable[[], object]) -> Any:
        """Wait until ``done`` says so, and return what it said."""
        with self.changed:
            assert self.changed.wait_for(done, PATIENCE), [post.text for post in self.posts]
        return done()

    def wait_for(self, name: str) -> dict[str, Any]:
        """Wait for the message of this name, and return it."""
        found = self.wait(lambda: [m for m in self.messages if m.get("name") == name])
        return dict(found[0])


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        """Let a browser hang up when it likes."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, site: Site, *args: Any) -> None:
        self.site = site
        super().__init__(*args)

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self._note(self.site.fetched, self.path)
        if path in SCRIPTS:
            self.site.script.wait(PATIENCE)
            self._answer(200, assets.script(SCRIPTS[path]), [("Content-Type", "text/javascript")])
        elif path in self.site.pages:
            headers = [("Content-Type", "text/html; charset=utf-8"), *self.site.headers]
            self._answer(200, self.site.pages[path].encode(), headers)
        else:
            self._answer(404 if path != "/favicon.ico" else 204, b"", [])

    def do_POST(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        answer = self.site.answers.popleft() if self.site.answers else self.site.otherwise
        if self.path not in self.site.pages:  # nor a form of the page's own
            self._note(self.site.posts, Post(self.path, self.headers, text))
        if answer.after:
            answer.after.wait(answer.at_most)
        if answer.status:
            self._answer(answer.status, b'{"success": true}', list(answer.headers))
        else:
            self._reset()

    def _note(self, where: list[Any], what: object) -> None:
        with self.site.changed:
            where.append(what)
            self.site.changed.notify_all()

    def _reset(self) -> None:
        """Drop the connection, as a router does that was switched off and on."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def _answer(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        try:
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(body)
        except OSError:
            pass  # the page was left


def tag(**settings: str) -> str:
    """Write the script element; ``auto_track_page="false"`` becomes its attribute."""
    values = {"site_id": "shop", "endpoint": "/people/visit/", "use_array_params": "true"}
    written = "".join(
        f' data-{name.replace("_", "-")}="{value}"'
        for name, value in {**values, **settings}.items()
    )
    return f'<script async id="cio-tracker" src="/people/visitor.js"{written}></script>'


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    site.script.set()
    site.server = server = Server(("127.0.0.1", 0), partial(Handler, site))
    threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True).start()
    yield site
    server.shutdown()
    server.server_close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test in each browser that the marker nearest to it names, else in Chromium alone."""
    marker = metafunc.definition.get_closest_marker("browser")
    if marker and marker.args and "browser" in metafunc.fixturenames:
        chosen = [LAUNCHED[name] for name in marker.args]
        metafunc.parametrize("browser", chosen, indirect=True, scope="module")


LAUNCHED = {
    "chromium": pytest.param("chromium", id="chromium"),
    "firefox": pytest.param("firefox", id="firefox", marks=pytest.mark.firefox),
}


def launch_options(name: str) -> dict[str, Any]:
    """Say how the browser of this machine is launched: no patched one is wanted."""
    if name == "firefox":
        channel = "moz-firefox"  # WebDriver BiDi, which every Firefox speaks
        return {
            "channel": channel,
            "executable_path": find_browser("firefox"),
            "firefox_user_prefs": PREFERENCES,
        }
    return {
        "executable_path": find_browser(),
        "args": FLAGS,
        "ignore_default_args": ["--disable-back-forward-cache"],
    }


@pytest.fixture(scope="package")
def launch() -> Iterator[Callable[[str], Browser]]:
    """Launch the browser of this name, once for all files of the folder.

    While there is one, playwright runs a loop in this thread.
    """
    launched: dict[str, Browser] = {}
    unsafe = {"DJANGO_ALLOW_ASYNC_UNSAFE": "true"}
    with mock.patch.dict(os.environ, unsafe), sync_playwright() as playwright:

        def launch(name: str) -> Browser:
            if name not in launched:
                browser = getattr(playwright, name).launch(**launch_options(name))
                if name == "firefox":
                    _try(browser)
                launched[name] = browser
            return launched[name]

        yield launch
        for browser in launched.values():
            browser.close()


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest, launch: Callable[[str], Browser]) -> Browser:
    """The browser that the test's marker names."""
    return launch(getattr(request, "param", "chromium"))


def _try(browser: Browser) -> None:
    """Skip where playwright is newer than Firefox, and asks of it what it cannot do yet."""
    try:
        browser.new_context().close()
    except Error as error:
        browser.close()
        end = pytest.fail if "firefox" in REQUIRED else pytest.skip
        end(f"needs another playwright: {error}")


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser's profile. Whatever its pages throw or write to the console fails the test."""
    context = browser.new_context()
    context.set_default_timeout(PATIENCE * 1000)
    noise: list[str] = []
    context.on("weberror", lambda error: noise.append(str(error.error)))
    context.on("console", lambda line: noise.append(line.text))
    yield context
    context.close()
    assert not [line for line in noise if not line.startswith(BROWSERS_OWN)]


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture
def hostile(settings: Any) -> Person:
    """Somebody hostile, on a site where nothing that staff may do is missing."""
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "SUPPRESSION_KEY": "k" * 32}
    return tell()


@pytest.fixture
def visit(live_server: Any, context: BrowserContext, page: Page) -> Callable[..., None]:
    """Open a page of the admin, as somebody who may do all of it."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])

    def visit(path: str, **options: Any) -> None:
        answer = page.goto(live_server.url + path, **options)
        assert answer
        assert answer.status == 200

    return visit
