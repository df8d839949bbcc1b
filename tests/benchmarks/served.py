"""P1 and P2: events a second that gunicorn's two sync workers store on PostgreSQL.

The reference, R1, is a plain view with one INSERT on the same site. Sixteen clients post at a
time; what was stored is counted afterwards.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

from identity_tracking import identify
from identity_tracking.messages import new_message_id
from identity_tracking.models import Activity
from tests.benchmarks.ratios import in_turn, progress, seconds, tell

CLIENTS = 16
EVENTS = 640  # a measure
BATCH = 20  # events of a request, for P2
KNOWN = 200  # browsers that were seen and identified before
NEW = 5  # every how manieth event is of a browser never seen
REFERENCE, ENDPOINT = "/reference/", "/people/visit/"


def bench() -> None:
    browsers = [str(uuid4()) for _ in range(KNOWN)]
    for number, browser in enumerate(browsers):
        identify(None, id=f"person-{number}", anonymous_id=browser)
    before = Activity.objects.count()
    rounds = 9
    with gunicorn() as address, ThreadPoolExecutor(CLIENTS) as clients:
        measure = partial(_measure, clients, address, browsers)
        reference, one, twenty = in_turn(
            lambda: measure(REFERENCE, 1),
            lambda: measure(ENDPOINT, 1),
            lambda: measure(ENDPOINT, BATCH),
            rounds=rounds,
        )
    stored = Activity.objects.count() - before
    sent = 3 * EVENTS * (rounds + 1)
    progress(f"{sent:,} events acknowledged, {stored:,} stored")
    assert stored == sent
    tell("P1", "events/s, one a request, to one INSERT (R1)", one, reference, least=0.8)
    tell("P2", f"events/s, {BATCH} a request, to one a request", twenty, one, least=10)


@contextmanager
def gunicorn() -> Iterator[str]:
    """Serve the site, and give the path of its socket once it answers."""
    with tempfile.TemporaryDirectory() as home:
        address = str(Path(home) / "socket")
        command = [sys.executable, "-m", "gunicorn", "--workers=2", "--log-level=warning"]
        process = subprocess.Popen(  # noqa: S603
            [*command, f"--bind=unix:{address}", "django.core.wsgi:get_wsgi_application()"],
            env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.benchmarks.settings"},
        )
        try:
            _await(address)
            yield address
        finally:
            process.terminate()
            process.wait()


def _await(address: str) -> None:
    deadline = time.monotonic() + 60
    while not Path(address).exists():
        assert time.monotonic() < deadline, "gunicorn does not start"
        time.sleep(0.05)


def _measure(
    clients: ThreadPoolExecutor, address: str, browsers: Sequence[str], path: str, number: int
) -> float:
    """Return the events a second that are stored when they are posted to ``path``."""
    requests = [_request(path, browsers, start, number) for start in range(0, EVENTS, number)]

    def all_answered() -> None:
        for answer in clients.map(partial(_post, address), requests):
            assert answer.endswith(b'{"success":true}') or b'"success": true' in answer, answer

    return EVENTS / seconds(all_answered)


def _post(address: str, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.connect(address)
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(4096), b""))


def _request(path: str, browsers: Sequence[str], start: int, number: int) -> bytes:
    """Return a request with ``number`` page views, as a browser sends it."""
    now = time.time_ns() // 1_000_000
    views = [_page_view(browsers, start + n, now) for n in range(number)]
    body = json.dumps({"site_id": "shop", "sent_at": now, "messages": views}).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: shop.example\r\nOrigin: http://shop.example\r\n"
        f"Content-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        f"Cookie: _cioanonid={views[0]['anonymous_id']}\r\n"
        "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
        "Sec-Fetch-Site: same-origin\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _page_view(browsers: Sequence[str], number: int, now: int) -> dict[str, object]:
    known = number % NEW
    return {
        "type": "page",
        "time": now,
        "message_id": new_message_id(),
        "anonymous_id": browsers[number % len(browsers)] if known else str(uuid4()),
        "url": "http://shop.example/products/1/?utm_source=mail",
        "title": "Espresso machine – The Shop",
        "referrer": "http://shop.example/",
    }
