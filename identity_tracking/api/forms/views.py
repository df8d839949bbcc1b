"""The endpoint that a form of a page posts to, where there is no script. It answers in HTML."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from identity_tracking import sources
from identity_tracking.api.base import PageView
from identity_tracking.api.forms.leading import may_lead_to
from identity_tracking.api.forms.parser import FormParser
from identity_tracking.api.keys import Sender
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.ingest.context import page_context, request_context
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database, reachable
from identity_tracking.models import Entrance
from identity_tracking.submissions.submission import kept, read
from identity_tracking.submissions.submit import submit
from identity_tracking.submissions.visiting import current, remember
from identity_tracking.visitor import Visitor

BUSY = {429, 503}
PAGE = "identity_tracking/form_answer.html"


class SubmitActionView(PageView):
    """``POST forms/submit_action?site_id=shop&form_id=signup&success_url=/thanks/``.

    The body is what a browser makes of a form. 302 to ``success_url`` after COMMIT, where a form
    may lead there; without one, a page that says thank you. 400 where it cannot be accepted: kept
    as a failed event; 401 for an unknown site_id, 403 from another origin, 429 for too many, 503
    with Retry-After when nothing was stored. Open to all, and so needs no CSRF token: what is
    typed proves nothing.
    """

    parser_classes: Any = (FormParser,)

    def who(self, request: Request) -> Sender:
        site_id = self.asked(request, "site_id")
        known = sources.public(site_id) if isinstance(site_id, str) else None
        if known is None:
            raise AuthenticationFailed("No source has this site_id.", "unknown_source")
        return Sender.of(known, trusted=False)

    def asked(self, request: Request, name: str) -> Any:
        """Return what the address says, or a hidden field of the form."""
        return request._request.GET.get(name) or dict(request.data).get(name)

    def post(self, request: Request) -> HttpResponse:
        http: HttpRequest = request._request
        sender = self.sender or self.who(request)
        visitor = getattr(http, "visitor", None) or Visitor(http)
        if visitor.may_be_followed():
            with reachable(database()):
                _take(self.asked(request, "form_id"), request.data, visitor, sender)
        address = http.GET.get("success_url", "")
        if may_lead_to(address, http, sender):
            return HttpResponseRedirect(address)
        return _page(http, {"is_taken": True}, 200)

    def refusal(self, code: str, message: str, status_code: int) -> Any:
        context = {"code": code, "is_passing": status_code in BUSY}
        return _page(self.request._request, context, status_code)


def _take(form_id: Any, data: Any, visitor: Visitor, sender: Sender) -> None:
    """Take a submission; the browser remembers whom it identified."""
    received_at = datetime.now(UTC)
    called = current(visitor)
    page = page_context(url=visitor.request.META.get("HTTP_REFERER"))
    url = str(page.get("url", ""))
    try:
        submission = read(
            form_id,
            data,
            url=url,
            source=sender.source,
            trusted=sender.trusted,
            received_at=received_at,
            current=called,
            context=request_context(visitor.request, page),
        )
        message = submit(submission)
    except InvalidMessage as error:
        item = kept(form_id, data, called, url)
        process([], failed=[sender.refused(item, error.code, received_at, Entrance.FORM)])
        raise
    remember(visitor, submission, message)


def _page(request: HttpRequest, context: dict[str, Any], status: int) -> HttpResponse:
    return render(request, PAGE, context, status=status)
