"""The endpoint that the script posts to, and the script itself."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.views.decorators.http import require_safe
from rest_framework.request import Request
from rest_framework.response import Response

from identity_tracking import assets
from identity_tracking.api.base import OpenView
from identity_tracking.api.browser.decoder import Delivery, decode
from identity_tracking.api.browser.origin import allow, is_allowed
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database, reachable
from identity_tracking.shortcuts import identify
from identity_tracking.visitor import Visitor

YEAR = 31_536_000  # seconds


@method_decorator(transaction.non_atomic_requests, name="dispatch")
class BrowserView(OpenView):
    """``POST``: take what the script sends, as ``decoder.decode`` shows it.

    200 ``{"success": true}`` after COMMIT, also for a message that was there already; with
    ``"errors": [{"index": 0, "code": "…", "message": "…"}]`` where some could not be accepted:
    those are kept as failed events. 400 where none could or the body cannot be read, 401 for an
    unknown site_id, 403 from another origin, 413 over 128 KiB, 503 with Retry-After when nothing
    was stored. Safe to repeat. What it answers never depends on what is stored.
    """

    def post(self, request: Request) -> Response:
        http = request._request
        if not is_allowed(http):
            raise InvalidMessage("This origin may not post here.", code="origin_not_allowed")
        visitor = getattr(http, "visitor", None) or Visitor(http)
        if not visitor.may_be_recorded():
            return Response({"success": True})
        with reachable(database()):
            delivery = decode(request.data, visitor, timezone.now())
            process(delivery.messages, failed=delivery.failed)
            _identify_session(delivery, visitor)
        if delivery.renew:
            visitor.renew()
        return _answer(delivery)

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer a preflight: the headers are set by ``finalize_response``."""
        return Response(status=204)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "no-store"
        allow(request._request, final)
        return final


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """Serve the script. Its URL names the build, so it is kept for a year."""
    zipped = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    body = assets.script_gzipped() if zipped else assets.script()
    response = HttpResponse(body, content_type="text/javascript; charset=utf-8")
    if zipped:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    named = request.GET.get("v") == assets.version()
    response["Cache-Control"] = (
        f"public, max-age={YEAR}, immutable" if named else "public, max-age=3600"
    )
    return response


def _identify_session(delivery: Delivery, visitor: Visitor) -> None:
    """Identify a user who was logged in before this app came, once a session.

    Only where the session was read anyway, and the page names nobody else.
    """
    if not visitor.has_read_session or not visitor.is_unidentified:
        return
    names_nobody_else = all(
        message.names.id in (None, visitor.proven) for message in delivery.messages
    )
    if names_nobody_else and identify(visitor.request) is not None:
        visitor.mark_identified()


def _answer(delivery: Delivery) -> Response:
    if not delivery.errors:
        return Response({"success": True})
    refused = delivery.is_refused
    body = {"success": not refused, "errors": delivery.errors}
    return Response(body, status=400 if refused else 200)
