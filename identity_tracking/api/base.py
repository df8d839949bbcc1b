"""What our HTTP views share: strict JSON in, small JSON out, a code for each error."""

from __future__ import annotations

import logging
from collections.abc import Callable
from math import ceil
from typing import Any, TypeVar

from django.conf import settings
from django.db import Error, connections, transaction
from django.http import HttpRequest
from django.utils.decorators import method_decorator
from rest_framework import exceptions, status
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from identity_tracking import sources
from identity_tracking.api.bodies import OpenRequest
from identity_tracking.api.keys import Sender
from identity_tracking.api.origins import allow, is_allowed
from identity_tracking.api.throttling import AddressThrottle, SourceThrottle
from identity_tracking.conf import conf
from identity_tracking.exceptions import (
    HookFailed,
    IdentityTrackingError,
    InvalidMessage,
    Unavailable,
)
from identity_tracking.payloads import Json, decode
from identity_tracking.visitor import Visitor

STATUS = {
    "too_large": status.HTTP_413_REQUEST_ENTITY_TOO_LARGE,
    "unknown_source": status.HTTP_401_UNAUTHORIZED,
    "origin_not_allowed": status.HTTP_403_FORBIDDEN,
    "https_required": status.HTTP_403_FORBIDDEN,
}

View = TypeVar("View", bound=Callable[..., Any])

logger = logging.getLogger(__name__)


class StrictJSONParser(BaseParser):
    """Parse any body as strict JSON, whatever it says it is: browsers send text/plain."""

    media_type = "*/*"
    max_bytes = 131_072

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Json:
        return decode(self.read(stream), limit=self.max_bytes)

    def read(self, stream: Any) -> bytes:
        """Read no more than tells that it is too much."""
        try:
            body: bytes = stream.read(self.max_bytes + 1)
        except OSError as error:
            raise InvalidMessage("The body did not arrive.", code="unreadable") from error
        return body


class AnyNegotiation(BaseContentNegotiation):
    """Parse and answer JSON whatever the headers ask for: clients rarely say what they mean."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


def commits_itself(view: View) -> View:
    """Let no database's ATOMIC_REQUESTS wrap ``view``: it answers after a COMMIT of its own."""
    for alias in connections:
        view = transaction.non_atomic_requests(using=alias)(view)
    return view


class OpenView(APIView):
    """A view that anybody may call, untouched by the host's REST framework settings.

    ``sender``: who does, once that is known.
    """

    authentication_classes: Any = ()
    permission_classes: Any = ()
    throttle_classes: Any = ()
    parser_classes: Any = (StrictJSONParser,)
    renderer_classes: Any = (JSONRenderer,)
    content_negotiation_class = AnyNegotiation
    versioning_class = None
    metadata_class: Any = None  # OPTIONS tells nothing of the code
    schema: Any = None  # it is no part of the host's own API
    sender: Sender | None = None

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        return OpenRequest(
            request,
            parsers=self.get_parsers(),
            negotiator=self.get_content_negotiator(),
            authenticators=self.get_authenticators(),
            parser_context=self.get_parser_context(request),
        )

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse what comes in the clear where the site wants TLS: see ``transport``."""
        if settings.SECURE_SSL_REDIRECT and not request._request.is_secure():
            raise InvalidMessage("Send it by https.", code="https_required")
        super().initial(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        """Leave the session's user be: asked for its own, REST framework makes them anonymous."""

    def handle_exception(self, exc: Exception) -> Response:
        """Answer 503 with Retry-After for database trouble, and a code for what is refused."""
        if isinstance(exc, Unavailable):
            if isinstance(exc, HookFailed):
                logger.error("A hook failed.", exc_info=exc)
            return self.unavailable(exc.retry_after)
        if isinstance(exc, Error):
            logger.error("The database failed.", exc_info=exc)
            return self.unavailable(Unavailable().retry_after)
        if isinstance(exc, IdentityTrackingError):
            code = STATUS.get(exc.code, status.HTTP_400_BAD_REQUEST)
            return self.refusal(exc.code, str(exc), code)
        if isinstance(exc, exceptions.APIException):
            return self.refused(exc)
        raise exc

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.sender and self.sender.known and not status.is_server_error(final.status_code):
            sources.used(self.sender.known)
        return final

    def refused(self, exc: exceptions.APIException) -> Response:
        """Answer what REST framework itself refuses: a method, a sender, too many calls."""
        answer = self.refusal(str(exc.get_codes()), str(exc.detail), exc.status_code)
        if isinstance(exc, exceptions.Throttled):
            answer["Retry-After"] = str(ceil(getattr(exc, "wait", None) or 1))
        challenge = self.get_authenticate_header(self.request)
        if challenge and exc.status_code == status.HTTP_401_UNAUTHORIZED:
            answer["WWW-Authenticate"] = challenge
        return answer

    def refusal(self, code: str, message: str, status_code: int) -> Response:
        """Return an answer that says why a whole request was refused."""
        body = {"success": False, "error": {"code": code, "message": message}}
        return Response(body, status=status_code)

    def unavailable(self, retry_after: int) -> Response:
        answer = self.refusal("unavailable", "Nothing was stored. Try again.", 503)
        answer["Retry-After"] = str(retry_after)
        return answer


@method_decorator(commits_itself, name="dispatch")
class PageView(OpenView):
    """A view that pages post to: those of the site, and of the origins that their source allows.

    Who posts is known, may, and does not do so too often, before a word of it is heeded.
    ``may_send``: the headers that a page of another origin may send.
    """

    throttle_classes: Any = (AddressThrottle, SourceThrottle)
    may_send = "content-type"

    def who(self, request: Request) -> Sender:
        """Return who posts. Raises what refuses anybody else."""
        raise NotImplementedError

    def check_permissions(self, request: Request) -> None:
        if request.method == "POST":
            self.sender = self.who(request)
            if not is_allowed(request._request, self.sender):
                raise InvalidMessage("This origin may not post here.", code="origin_not_allowed")

    def is_to_be_kept(self, request: HttpRequest) -> bool:
        """Say whether to record anything: of a browser only what it agrees to."""
        is_browser = "HTTP_ORIGIN" in request.META or "HTTP_SEC_FETCH_SITE" in request.META
        return conf.ENABLED and (not is_browser or Visitor(request).may_be_followed())

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """Answer a preflight: the headers are set by ``finalize_response``."""
        return Response(status=status.HTTP_204_NO_CONTENT)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "no-store"
        allow(request._request, final, self.sender, headers=self.may_send)
        return final
