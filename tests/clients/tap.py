"""What clients send over real HTTP, noted on its way into the site of the tests."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any

from django.test.testcases import QuietWSGIRequestHandler

from tests.captures.exchanges import Exchange

NOTED = {"CONTENT_TYPE": "Content-Type", "CONTENT_LENGTH": "Content-Length"}


class Tap:
    """A WSGI application around the site's own: all that passes is in ``exchanges``."""

    def __init__(self, site: Any) -> None:
        self.site = site
        self.exchanges: list[Exchange] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))

        def start(status: str, headers: Any, *rest: Any) -> Any:
            self.exchanges.append(_exchange(environ, body, int(status.partition(" ")[0])))
            return start_response(status, headers, *rest)

        return self.site({**environ, "wsgi.input": BytesIO(body)}, start)


class Handler(QuietWSGIRequestHandler):
    """Keeps the path as it was sent, as gunicorn does; Django's own server loses it."""

    def get_environ(self) -> Any:
        return {**super().get_environ(), "RAW_URI": self.path}


@contextmanager
def tapped(server: Any) -> Iterator[Tap]:
    """Note what a server of Django's tests is sent; its handler has to be ``Handler``."""
    site = server.get_app()
    tap = Tap(site)
    server.set_app(tap)
    yield tap
    server.set_app(site)


def _exchange(environ: dict[str, Any], body: bytes, status: int) -> Exchange:
    return Exchange(
        at=round(time.time(), 3),
        method=environ["REQUEST_METHOD"],
        path=environ["RAW_URI"],
        headers=dict(_headers(environ)),
        body=body,
        status=status,
    )


def _headers(environ: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name in NOTED and value:
            yield NOTED[name], value
        elif name.startswith("HTTP_") and value:
            yield name.removeprefix("HTTP_").replace("_", "-").title(), value
