"""The measures, one function each."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from uuid import uuid4

from django.conf import settings
from django.core.handlers.base import BaseHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from identity_tracking import identify
from identity_tracking.identifiers import names
from identity_tracking.messages import Message, Type, new_message_id
from identity_tracking.models import Activity, FailedEvent
from tests.site.urls import urlpatterns as site_urls

ROUNDS = 7
REQUESTS = 200
SHORT, LONG = 10, 100_000  # activities of a browser before it is identified
MIDDLEWARE = "identity_tracking.middleware.IdentityTrackingMiddleware"
ENDPOINT = "/people/visit/"


@csrf_exempt
def one_insert(request: HttpRequest) -> HttpResponse:
    """The reference for ingest: read the body, insert one row, answer."""
    message = json.loads(request.body)["messages"][0]
    FailedEvent.objects.create(
        code="reference",
        payload=json.dumps(message),
        source="shop",
        trusted=False,
        received_at=datetime.now(UTC),
    )
    return JsonResponse({"success": True})


def plain_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!doctype html><title>Page</title><p>Hello")


def page_view(number: int = 1) -> bytes:
    """Return the body of a request with as many page views of a new visitor."""
    now = time.time_ns() // 1_000_000
    view = {
        "type": "page",
        "time": now,
        "anonymous_id": str(uuid4()),
        "url": "http://testserver/products/1/?utm_source=mail",
        "title": "Espresso machine – The Shop",
        "referrer": "http://testserver/",
    }
    views = [{**view, "message_id": new_message_id()} for _ in range(number)]
    return json.dumps({"site_id": "shop", "sent_at": now, "messages": views}).encode()


def handler() -> Callable[[HttpRequest], object]:
    made = BaseHandler()
    made.load_middleware()
    return made.get_response


def seconds(call: Callable[[HttpRequest], object], requests: Sequence[HttpRequest]) -> float:
    """Return the seconds that one of ``requests`` takes."""
    start = time.perf_counter()
    for request in requests:
        call(request)
    return (time.perf_counter() - start) / len(requests)


def in_turn(*measures: Callable[[], float]) -> list[float]:
    """Return the median of each measure, taken in turn so that the machine's drift is shared."""
    rounds = [[measure() for measure in measures] for _ in range(ROUNDS + 1)][1:]
    return [median(figures) for figures in zip(*rounds, strict=True)]


def bench_ingest() -> None:
    call, make = handler(), RequestFactory()

    def posts(address: str, number: int = 1) -> float:
        requests = [
            make.post(address, page_view(number), content_type="text/plain")
            for _ in range(REQUESTS // number)
        ]
        return seconds(call, requests)

    reference, one, twenty = in_turn(
        lambda: posts("/reference/"), lambda: posts(ENDPOINT), lambda: posts(ENDPOINT, 20)
    )
    tell("P1", "requests/s of one event, to one INSERT", 1 / one, 1 / reference)
    tell("P2", "events/s in requests of 20, to requests of one", 20 / twenty, 1 / one)


def bench_middleware() -> None:
    make = RequestFactory()
    cookie = f"_cioanonid={uuid4()}"
    with_it = handler()
    without = [name for name in settings.MIDDLEWARE if name != MIDDLEWARE]
    with override_settings(MIDDLEWARE=without):
        without_it = handler()

    def pages(call: Callable[[HttpRequest], object]) -> float:
        requests = [make.get("/bench-page/", HTTP_COOKIE=cookie) for _ in range(REQUESTS * 5)]
        return seconds(call, requests)

    plain, tracked = in_turn(lambda: pages(without_it), lambda: pages(with_it))
    tell("P4", "plain pages/s with the middleware, to without", 1 / tracked, 1 / plain)


def bench_claims() -> None:
    """Two people identify on one browser, after a short and after a long anonymous history."""
    spent: dict[int, list[float]] = {SHORT: [], LONG: []}
    rows: dict[int, int] = {}
    for _ in range(ROUNDS):
        for history in (SHORT, LONG):
            browser = anonymous_history(history)
            for _ in range(2):
                start = time.perf_counter()
                with CaptureQueriesContext(connection) as queries:
                    identify(None, id=str(uuid4()), anonymous_id=browser, plan="pro")
                spent[history].append(time.perf_counter() - start)
                writes = [q for q in queries if q["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]
                rows[history] = len(writes)
    assert rows[SHORT] == rows[LONG], rows
    tell(
        "P5",
        f"time of a claim after {LONG:,} activities, to after {SHORT}",
        median(spent[LONG]),
        median(spent[SHORT]),
    )


def anonymous_history(length: int) -> str:
    """Store ``length`` activities of a new browser and return its anonymous id."""
    browser = str(uuid4())
    now = datetime.now(UTC)
    made = [
        Activity.from_message(
            Message(
                type=Type.PAGE,
                names=names(anonymous_id=browser),
                source="shop",
                message_id=new_message_id(),
                timestamp=now - timedelta(seconds=length - number),
                received_at=now,
            )
        )
        for number in range(length)
    ]
    Activity.objects.bulk_create(made, batch_size=5_000)
    return browser


def tell(goal: str, what: str, figure: float, reference: float) -> None:
    print(f"{goal:4} {what:56} {figure:12.5g} : {reference:10.5g} = {figure / reference:6.2f}")


urlpatterns = [
    *site_urls,
    path("reference/", one_insert),
    path("bench-page/", plain_page),
]
