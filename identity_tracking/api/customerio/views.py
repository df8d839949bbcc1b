"""The endpoints of the Track API, both versions: entrances, which answer as its clients expect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, NamedTuple
from uuid import uuid4

from django.http import HttpRequest
from django.utils.decorators import method_decorator
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from identity_tracking import sources
from identity_tracking.api import deeds
from identity_tracking.api.base import STATUS, OpenView, PageView, commits_itself
from identity_tracking.api.customerio import deliveries
from identity_tracking.api.customerio import segments as manual
from identity_tracking.api.customerio.batches import carry_out
from identity_tracking.api.customerio.decoder import (
    VIEWS,
    Reader,
    addressed,
    identified,
)
from identity_tracking.api.keys import KeyAuthentication, Sender
from identity_tracking.api.parsers import BodyParser
from identity_tracking.api.paths import segments
from identity_tracking.api.throttling import SourceThrottle
from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidMessage, Unavailable
from identity_tracking.models import FailedEvent


@method_decorator(commits_itself, name="dispatch")
class TrackView(OpenView):
    """What all have in common: a secret key, a body that may be empty, errors in "meta".

    200 ``{}`` after COMMIT. 400 ``{"meta": {"errors": ["…"], "code": "…"}}``, kept as a failed
    event; 401 and 403 as ``KeyAuthentication`` says; 429 with Retry-After for
    too many calls, 503 with it when nothing was stored.
    """

    authentication_classes: Any = (KeyAuthentication,)
    throttle_classes: Any = (SourceThrottle,)
    parser_classes: Any = (BodyParser,)

    def perform_authentication(self, request: Request) -> None:
        """Refuse who has no key before anything is read."""
        sender: Any = request.auth
        self.sender = sender
        self.reader = Reader(sender=sender, received_at=datetime.now(UTC))

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, InvalidMessage) and hasattr(self, "reader"):
            try:
                deeds.keep([], [self.failed(exc)])
            except Unavailable as error:
                return super().handle_exception(error)
        return super().handle_exception(exc)

    def failed(self, error: InvalidMessage) -> FailedEvent:
        """Return the call as it is kept: what was asked, and what could not be read of it."""
        request: Request = self.request
        body = {**self.addressee(), "method": request.method, "path": request.path}
        body["body"] = _sent(request)
        return self.reader.sender.refused(body, error.code, self.reader.received_at)

    def addressee(self) -> dict[str, str]:
        """Return whom the path names, as an erasure looks for it."""
        return {}

    def refusal(self, code: str, message: str, status_code: int) -> Response:
        meta = {"error": message} if status_code in {401, 403} else {"errors": [message]}
        return Response({"meta": {**meta, "code": code}}, status=status_code)

    def perform(self, action: str, identifiers: Any, **said: Any) -> Response:
        """Do what version 2 has as an item: so both mean the same, and fail alike."""
        return self.done({**said, "type": "person", "action": action, "identifiers": identifiers})

    def done(self, item: Any) -> Response:
        """Carry out an item of version 2, and answer as version 1 does."""
        for error in carry_out([item], self.reader):
            code = error["reason"]
            return self.refusal(code, error["message"], STATUS.get(code, 400))
        return Response({})

    def happened(self, identifiers: Any, body: Any) -> Response:
        """Keep an event, or a view of a page or screen."""
        kind = str(mapping(body).get("type"))
        return self.perform(kind if kind in VIEWS else "event", identifiers, **named(body))


class RegionView(TrackView):
    """``GET /api/v1/accounts/region``: by this clients test their key.

    ``{"url": "shop.example", "region": "us", "environment_id": 1}``
    """

    def get(self, request: Request) -> Response:
        return Response({"url": request.get_host(), "region": "us", "environment_id": 1})


class Target(NamedTuple):
    """What a path under ``customers/`` names: somebody, what of theirs, and which."""

    person: str
    what: str
    token: str


class CustomerView(TrackView):
    """All under ``/api/v1/customers/{identifier}``, an id, an email or ``cio_…``.

    ``PUT`` sets attributes: ``{"email": …, "plan": "pro", "_update": true}``, ``DELETE`` deletes
    the person; ``PUT …/devices`` ``{"device": {"id": "token", "platform": "ios"}}`` and
    ``DELETE …/devices/{token}``; ``POST …/events`` ``{"name": "bought", "data": {…}}``,
    ``…/suppress`` and ``…/unsuppress``. Setting and deleting are safe to repeat; so is an event
    with an ``id``.
    """

    KINDS: ClassVar = ("devices", "suppress", "unsuppress", "events")

    @cached_property
    def target(self) -> Target:
        http: HttpRequest = self.request._request
        return target(segments(http, self.kwargs["rest"]), self.kwargs["rest"])

    def addressee(self) -> dict[str, str]:
        return {"id": self.target.person}

    def put(self, request: Request, rest: str) -> Response:
        body = request.data
        self.expect("", "devices")
        if self.target.what:
            device = body.get("device") if isinstance(body, dict) else None
            return self.perform("add_device", self.addressee(), device=device)
        return self.perform("identify", self.addressee(), attributes=body)

    def delete(self, request: Request, rest: str) -> Response:
        if self.target.what == "devices" and self.target.token:
            held = deeds.held_device(addressed(self.target.person), self.target.token)
            return self.perform("delete_device", self.addressee(), device={"token": held.id})
        self.expect("")
        return self.perform("delete", self.addressee())

    def post(self, request: Request, rest: str) -> Response:
        what = self.target.what
        self.expect("events", "suppress", "unsuppress")
        if what == "events":
            return self.happened(self.addressee(), request.data)
        return self.perform(what, self.addressee())

    def expect(self, *kinds: str) -> None:
        """Answer 404 where the path is no endpoint's."""
        if self.target.what not in kinds or self.target.token:
            raise NotFound


class EventView(TrackView):
    """``POST /api/v1/events``: ``{"name": "viewed", "anonymous_id": "…", "data": {…}}``.

    The clients send it without an ``anonymous_id`` too: then it is a new visitor's, and stays so.
    """

    def post(self, request: Request) -> Response:
        body = mapping(request.data)
        return self.happened({"anonymous_id": body.get("anonymous_id") or str(uuid4())}, body)


class MergeView(TrackView):
    """``POST /api/v1/merge_customers``: ``{"primary": {"id": "1"}, "secondary": {"email": "…"}}``.

    Where either is unknown nothing happens. Staff can undo it. Safe to repeat.
    """

    def post(self, request: Request) -> Response:
        body = mapping(request.data)
        primary, secondary = identified(body.get("primary")), identified(body.get("secondary"))
        deeds.merge(primary, secondary, self.reader.sender)
        return Response({})

    def refusal(self, code: str, message: str, status_code: int) -> Response:
        return Response({"meta": {"error": message, "code": code}}, status=status_code)


class SegmentView(TrackView):
    """``POST /api/v1/segments/{id}/add_customers`` and ``remove_customers``: ``{"ids": [1, 2]}``.

    ``?id_type=`` id, email or cio_id. Who is unknown is left out. Safe to repeat.
    """

    def post(self, request: Request, segment: str, verb: str) -> Response:
        kind = request.query_params.get("id_type", "id")
        manual.change(segment, request.data, kind, self.reader, present=verb == "add")
        return Response({})


class MetricView(PageView, TrackView):
    """What became of a delivery, told by anybody: so it is no more than claimed.

    ``POST /api/v1/metrics`` ``{"delivery_id": "…", "metric": "opened", "timestamp": 1613063089,
    "recipient": "…"}``, ``/push/events`` ``{"delivery_id", "event", "device_id", "timestamp"}``,
    ``/api/v1/cio_deliveries/events`` ``{"type": "in_app", "payload": {…}}``, and
    ``/unsubscribe/{delivery_id}`` ``{"unsubscribe": true}``. 200 ``{}`` also where nobody is
    named whom anybody knows: then it is kept as a failed event.
    """

    authentication_classes: Any = ()

    def perform_authentication(self, request: Request) -> None:
        """Ask for no key."""

    def who(self, request: Request) -> Sender:
        return Sender(source=conf.SITE_ID, trusted=False, known=sources.public(conf.SITE_ID))

    def post(self, request: Request, delivery_id: str = "") -> Response:
        if not self.is_to_be_kept(request._request):
            return Response({})
        sender: Any = self.sender
        self.reader = Reader(sender=sender, received_at=datetime.now(UTC))
        body = mapping(request.data)
        if delivery_id:
            metric = "subscribed" if body.get("unsubscribe") is False else "unsubscribed"
            body = {**body, "delivery_id": delivery_id, "metric": metric}
        return self.done(deliveries.item_of(body))


class EntityView(TrackView):
    """``POST /api/v2/entity``: one item, as ``batches`` shows it. 400 ``{"errors": […]}``."""

    def post(self, request: Request) -> Response:
        told = carry_out([request.data], self.reader)
        errors = [{key: one[key] for key in one if key != "batch_index"} for one in told]
        return Response({"errors": errors}, status=400) if errors else Response({})

    def refusal(self, code: str, message: str, status_code: int) -> Response:
        if status_code in {401, 403}:
            return super().refusal(code, message, status_code)
        error = {"reason": code, "field": "", "message": message}
        return Response({"errors": [error]}, status=status_code)


class BatchView(EntityView):
    """``POST /api/v2/batch``: ``{"batch": [item, …]}``. 207 where some items are invalid."""

    def post(self, request: Request) -> Response:
        items = mapping(request.data).get("batch")
        if not isinstance(items, list):
            raise InvalidMessage('The body is an object with a "batch".', code="invalid_body")
        errors = carry_out(items, self.reader)
        return Response({"errors": errors}, status=207) if errors else Response({})


def target(parts: list[str] | None, rest: str) -> Target:
    """Return what a path under ``customers/`` names.

    Without its ``parts`` as they were sent it is told by what stands at its end.
    """
    if parts is None:
        parts = _parted(rest.rstrip("/"))
    person, what, token, *_ = [*parts, "", "", ""]
    return Target(person, what, token)


def named(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an event's body says of it."""
    return {name: body[name] for name in ("name", "id", "timestamp", "data") if name in body}


def mapping(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InvalidMessage("The body is an object.", code="invalid_body")
    return body


def _parted(path: str) -> list[str]:
    person, slash, last = path.rpartition("/")
    if slash and last in CustomerView.KINDS:
        return [person, last]
    person, slash, token = path.partition("/devices/")
    return [person, "devices", token] if slash else [path]


def _sent(request: Request) -> Any:
    try:
        return request.data
    except InvalidMessage:
        return None
