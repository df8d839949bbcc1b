"""A request whose body nobody says the length of: sent in chunks, or by HTTP/2.

Without a Content-Length REST framework takes it for empty, and what it says would be lost.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from rest_framework.request import Request

from identity_tracking.exceptions import InvalidMessage


class OpenRequest(Request):
    """REST framework's request, with a body of whatever length."""

    def _load_stream(self) -> None:
        super()._load_stream()  # type: ignore[misc]  # its stubs lack it
        if self._stream is None and not self._request.META.get("CONTENT_LENGTH"):
            self._stream = _unmeasured(self._request)


def _unmeasured(request: HttpRequest) -> Any:
    """Return a body as a stream; None where there is none.

    Raises InvalidMessage where the server does not tell when it ends.
    """
    environ = getattr(request, "environ", None)
    if environ is None:  # under ASGI Django has all of it
        return request
    if "HTTP_TRANSFER_ENCODING" not in environ:
        return None
    if not environ.get("wsgi.input_terminated"):
        raise InvalidMessage("Say how long the body is.", code="unreadable")
    return environ["wsgi.input"]
