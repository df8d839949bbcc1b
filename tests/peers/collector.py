"""A server that is the shop and every vendor at once, told apart by the host's name.

It serves the scripts, answers as the vendors would, and notes each request.
"""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import PurePath
from typing import Any

from tests.peers.trackers import Tracker

SHOP = "shop.localhost"  # potentially trustworthy, as a page with TLS is
PAGE = (
    "<!doctype html><html lang=en><head><meta charset=utf-8><title>Beans</title>{snippet}</head>"
    f"<body><h1>Beans</h1>{'<p>A <b>bean</b> of <a href=/>ours</a>.</p>' * 200}</body></html>"
)
NOTHING = "<script>window.nothing = true</script>"
PATIENCE = 30  # seconds


@dataclass(frozen=True)
class Request:
    """One request that a vendor got."""

    method: str
    path: str
    text: str


@dataclass
class Collector:
    """What the browser asks of each host."""

    trackers: dict[str, Tracker]
    requests: dict[str, list[Request]] = field(default_factory=dict)
    changed: threading.Condition = field(default_factory=threading.Condition)
    port: int = 0

    def origin(self, host: str) -> str:
        return f"http://{host}:{self.port}"

    def page(self, path: str) -> str:
        """Return the shop's page with the snippet of the host that ``path`` names, if any."""
        _, host, *idle = path.split("/")
        tracker = self.trackers.get(host)
        snippet = tracker.written(self.origin(host), idle=bool(idle)) if tracker else NOTHING
        return PAGE.replace("{snippet}", snippet)

    def note(self, host: str, request: Request) -> None:
        with self.changed:
            self.requests.setdefault(host, []).append(request)
            self.changed.notify_all()

    def wait_for(self, tracker: Tracker) -> None:
        """Wait until the page view and both calls have arrived."""
        with self.changed:
            if not self.changed.wait_for(lambda: self._is_told(tracker), PATIENCE):
                raise TimeoutError(f"{tracker.name}: {self.requests[tracker.host]}")

    def _is_told(self, tracker: Tracker) -> bool:
        told = "".join(one.text for one in self.requests[tracker.host])
        return all(word in told for word in tracker.posts)


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *args: Any) -> None:
        """Let a browser hang up when it likes."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, collector: Collector, *args: Any) -> None:
        self.collector = collector
        super().__init__(*args)

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if self.host == SHOP:
            self._answer(self.collector.page(path).encode(), "text/html; charset=utf-8")
            return
        self._note()
        tracker = self.collector.trackers[self.host]
        if text := tracker.answers.get(path):
            kind = "text/javascript" if path.endswith(".js") else "application/json"
            self._answer(text.replace("{host}", self.headers["Host"]).encode(), kind)
            return
        file = tracker.folder / PurePath(path).name
        self._answer(file.read_bytes(), "text/javascript")

    def do_OPTIONS(self) -> None:
        self._note()
        self._answer(b"", "text/plain")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        plain = gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
        self._note(plain.decode())
        self._answer(b'{"success": true}', "application/json")

    @property
    def host(self) -> str:
        return self.headers["Host"].partition(":")[0]

    def _note(self, text: str = "") -> None:
        self.collector.note(self.host, Request(self.command, self.path, text))

    def _answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        headers = {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Access-Control-Allow-Origin": self.headers["Origin"] or "*",
            "Access-Control-Allow-Credentials": "true",
            "Access-Control-Allow-Headers": self.headers["Access-Control-Request-Headers"] or "*",
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def collecting(trackers: list[Tracker]) -> Iterator[Collector]:
    """Serve the shop and these vendors."""
    collector = Collector({tracker.host: tracker for tracker in trackers})
    server = Server(("127.0.0.1", 0), partial(Handler, collector))
    collector.port = server.server_port
    threading.Thread(target=partial(server.serve_forever, 0.05), daemon=True).start()
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
