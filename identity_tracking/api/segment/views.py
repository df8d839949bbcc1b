"""The endpoints of Segment's HTTP API: entrances, which answer as its clients expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from identity_tracking import sources
from identity_tracking.api.base import PageView
from identity_tracking.api.batch import Step, carry_out
from identity_tracking.api.bounds import refuse_many_claims
from identity_tracking.api.keys import Sender, sender_of
from identity_tracking.api.parsers import BodyParser
from identity_tracking.api.segment.decoder import Reader
from identity_tracking.api.segment.semantics import read_steps
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.ingest.context import request_context
from identity_tracking.models import FailedEvent
from identity_tracking.payloads import Json

MOST = 2_500  # calls of a batch: https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/#batch


class SegmentView(PageView):
    """What all have in common: the write key, the answer, and pages of other origins.

    The key is a site_id, whose calls are untrusted, or a secret key, which no page may hold. 200
    ``{"success": true}`` after COMMIT, with ``"errors": [{"index", "code", "message"}]`` for
    calls that could not be accepted: those are kept as failed events. 400 for a body that cannot
    be read, 401 for another key, 403 for a page of another origin, 413 for too much, 429 with
    Retry-After for too many calls, 503 with it when nothing was stored. Safe to repeat where the
    calls have a ``messageId``.
    """

    parser_classes: Any = (BodyParser,)
    may_send = "authorization, content-type, anonymousid, sentat, x-retry-count"

    def who(self, request: Request) -> Sender:
        return sender_of(request._request, request.data)

    def receive(self, request: Request, items: list[Any], kind: str = "") -> Response:
        """Keep all ``items`` that can be accepted, in one transaction."""
        http: HttpRequest = request._request
        body = request.data if isinstance(request.data, dict) else {}
        sender: Any = self.sender
        if not self.is_to_be_kept(http):
            return Response({"success": True})
        reader = Reader(
            sender=sender,
            received_at=datetime.now(UTC),
            retried=not sender.trusted and http.META.get("HTTP_X_RETRY_COUNT", "0") != "0",
            sent_at=body.get("sentAt"),
            seen={} if sender.trusted else request_context(http, {}),
        )
        return Response({"success": True, **_kept(reader, items, kind)})


class CallView(SegmentView):
    """``POST /v1/{identify,track,page,screen,group,alias}``, and ``/v1/{i,t,p,s,g,a}``.

    ``{"userId": "42", "anonymousId": "…", "event": "bought", "properties": {…}, "context": {…},
    "timestamp": "2026-11-22T06:00:00Z", "messageId": "…"}``, whatever its Content-Type says.
    """

    kind = ""

    def post(self, request: Request) -> Response:
        if not isinstance(request.data, dict):
            raise InvalidMessage("The body is an object.", code="invalid_body")
        return self.receive(request, [request.data], self.kind)


class BatchView(SegmentView):
    """``POST /v1/batch``, ``/v1/b``, ``/v1/import``: ``{"batch": [{"type": "track", …}, …]}``."""

    def post(self, request: Request) -> Response:
        items = request.data.get("batch") if isinstance(request.data, dict) else None
        if not isinstance(items, list):
            raise InvalidMessage('The body is an object with a "batch".', code="invalid_body")
        if len(items) > MOST:
            raise InvalidMessage(f"A batch has at most {MOST} calls.", code="too_large")
        if not (self.sender and self.sender.trusted):
            refuse_many_claims(items)
        return self.receive(request, items)


class SettingsView(SegmentView):
    """``GET /v1/projects/{key}/settings``: where a client in a page is to send.

    ``{"integrations": {"Segment.io": {"apiKey": "shop", "apiHost": "shop.example/people/v1",
    "protocol": "https"}}}``
    """

    def get(self, request: Request, key: str) -> Response:
        if sources.public(key) is None:
            raise NotFound
        http: HttpRequest = request._request
        base = http.path.partition("/projects/")[0]
        there = {
            "apiKey": key,
            "apiHost": f"{http.get_host()}{base}",
            "protocol": http.scheme,
        }
        names = ("Segment.io", "Customer.io Data Pipelines")
        return Response({"integrations": dict.fromkeys(names, there)})


def _kept(reader: Reader, items: list[Any], kind: str) -> dict[str, Json]:
    """Carry out ``items``; return the errors of those that could not be accepted, if any."""

    def read(item: Any, at: datetime) -> Sequence[Step]:
        return read_steps(replace(reader, received_at=at), item, kind)

    def refuse(item: Any, code: str, at: datetime) -> FailedEvent:
        return replace(reader, received_at=at).refused(item, code, kind)

    refusals = carry_out(items, read, refuse, reader.received_at)
    errors = [asdict(refusal) for refusal in refusals]
    return {"errors": errors} if errors else {}
