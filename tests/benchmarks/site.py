"""The tests' site, and beside it what the measures are compared with."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from identity_tracking.models import Activity
from tests.site.urls import urlpatterns as site_urls


class View(msgspec.Struct):
    """A page view as the script posts it."""

    type: str
    time: int
    message_id: str
    anonymous_id: str
    url: str
    title: str
    referrer: str


class Posted(msgspec.Struct):
    """What the script posts."""

    site_id: str
    sent_at: int
    messages: list[View]


read = msgspec.json.Decoder(Posted).decode


@csrf_exempt
def one_insert(request: HttpRequest) -> HttpResponse:
    """R1, the reference: a plain view that parses and checks its body and inserts one row."""
    said = read(request.body).messages[0]
    Activity.objects.create(
        pk=UUID(said.message_id),
        identifier_id=UUID(said.anonymous_id),
        type=said.type,
        context={"page": {"url": said.url, "title": said.title, "referrer": said.referrer}},
        timestamp=datetime.fromtimestamp(said.time / 1000, UTC),
        received_at=datetime.now(UTC),
        source="reference",
        trusted=False,
        message_id=said.message_id,
    )
    return JsonResponse({"success": True})


def plain_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("<!doctype html><title>Page</title><p>Hello")


urlpatterns: list[Any] = [
    *site_urls,
    path("reference/", one_insert),
    path("bench-page/", plain_page),
]
