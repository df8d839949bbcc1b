"""The endpoint that the script posts to, and the script itself."""

from __future__ import annotations

from datetime import UTC, datetime

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe
from rest_framework.request import Request
from rest_framework.response import Response

from identity_tracking import assets
from identity_tracking.api.base import PageView
from identity_tracking.api.browser.decoder import Delivery, decode, sender_of
from identity_tracking.api.keys import Sender
from identity_tracking.conf import conf
from identity_tracking.cookies import has_twins
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database, reachable
from identity_tracking.privacy import consent
from identity_tracking.privacy.consent import Consent
from identity_tracking.shortcuts import identify
from identity_tracking.submissions.submit import messages_of
from identity_tracking.submissions.visiting import stored
from identity_tracking.visitor import Visitor

SCRIPT = "text/javascript; charset=utf-8"
YEAR = 31_536_000  # seconds


class BrowserView(PageView):
    """``POST``: take what the script sends, as ``decoder.decode`` shows it.

    200 ``{"success": true}`` after COMMIT, also for a message that was there already; with
    ``"errors": [{"index": 0, "code": "…", "message": "…"}]`` where some could not be accepted:
    those are kept as failed events. 400 where none could or the body cannot be read, 401 for an
    unknown site_id, 403 from another origin, 413 over 128 KiB, 429 with Retry-After for too many
    calls, 503 with it when nothing was stored. Safe to repeat. What it answers never depends on
    what is stored. An answer that took long sets no cookie: in the meantime the visitor may have
    logged out in another tab.
    """

    def who(self, request: Request) -> Sender:
        return sender_of(request.data)

    def post(self, request: Request) -> Response:
        http = request._request
        visitor = getattr(http, "visitor", None) or Visitor(http)
        if not visitor.may_be_followed():
            return Response({"success": True})
        with reachable(database()):
            delivery = decode(request.data, visitor, datetime.now(UTC))
            forms = messages_of(delivery.forms)
            outcomes = process([*forms, *delivery.messages], failed=delivery.failed)
            stored(visitor, delivery.forms, forms, outcomes[: len(forms)])
            if visitor.is_prompt:
                _identify_session(delivery, visitor)
        if not delivery.is_retry and (delivery.renew or has_twins(http)):
            visitor.renew()
        if not visitor.is_prompt:
            visitor.keep_quiet()
        return _answer(delivery)


@login_not_required
@require_safe
def script(request: HttpRequest, name: str = "visitor") -> HttpResponse:
    """Serve a script, that of forms by its ``name``; empty to a browser that may not be followed.

    Its URL names the build, so it is kept for a year; where consent is asked for, for no time at
    all: it depends on the visitor, so that the pages with the snippet need not.
    """
    if not consent.allows(request):
        return _kept(request, HttpResponse(content_type=SCRIPT), name)
    zipped = "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", "")
    body = assets.script_gzipped(name) if zipped else assets.script(name)
    response = HttpResponse(body, content_type=SCRIPT)
    if zipped:
        response["Content-Encoding"] = "gzip"
    return _kept(request, response, name)


def _kept(request: HttpRequest, response: HttpResponse, name: str) -> HttpResponse:
    """Say how long the script is kept, and for whom."""
    signals = consent.SIGNALS if conf.HONOUR_SIGNALS else ()
    patch_vary_headers(response, ["Accept-Encoding", *signals])
    if conf.CONSENT != Consent.OFF:
        patch_vary_headers(response, ["Cookie"])
        response["Cache-Control"] = "private, no-cache"
        return response
    named = request.GET.get("v") == f"{assets.version(name)}{consent.edition()}"
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
