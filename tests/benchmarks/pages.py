"""P4: what the middleware adds to a page that records nothing."""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.http import HttpRequest
from django.test import RequestFactory
from django.test.utils import override_settings

from tests.benchmarks.ratios import in_turn, seconds, tell

REQUESTS = 1_000
MIDDLEWARE = "identity_tracking.middleware.IdentityTrackingMiddleware"


def bench() -> None:
    without = [name for name in settings.MIDDLEWARE if name != MIDDLEWARE]
    with override_settings(ROOT_URLCONF="tests.benchmarks.site"):
        with_it = _handler()
        with override_settings(MIDDLEWARE=without):
            without_it = _handler()
        tracked, plain = in_turn(lambda: _pages(with_it), lambda: _pages(without_it))
    what = "plain pages/s with the middleware, to without"
    tell("P4", what, REQUESTS / tracked, REQUESTS / plain, least=0.95)


def _handler() -> Callable[[HttpRequest], object]:
    made = BaseHandler()
    made.load_middleware()
    return made.get_response


def _pages(call: Callable[[HttpRequest], object]) -> float:
    cookie = f"_cioanonid={uuid4()}"
    make = RequestFactory()
    requests = [make.get("/bench-page/", HTTP_COOKIE=cookie) for _ in range(REQUESTS)]
    return seconds(lambda: [call(request) for request in requests])
