"""Which pages may post: the site's own, those of ALLOWED_ORIGINS, and those of the source."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from identity_tracking.api.keys import Sender
from identity_tracking.conf import conf
from identity_tracking.sources import is_allowed_somewhere


def is_allowed(request: HttpRequest, sender: Sender) -> bool:
    """Say whether the page that posts may: by Sec-Fetch-Site, else by Origin.

    A client that sends neither is no browser; it proves nothing, and gains nothing.
    """
    origin = request.META.get("HTTP_ORIGIN", "")
    if origin and _is_named(origin, sender):
        return True
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site:
        return str(site) == "same-origin"
    return not origin or _is_own(origin, request)


def allow(
    request: HttpRequest,
    response: HttpResponseBase,
    sender: Sender | None,
    *,
    headers: str = "content-type",
) -> None:
    """Let a page of another, allowed origin read ``response`` and send its cookies.

    ``sender``: None where it is not known, as of a preflight: then any source's origin is
    allowed. ``headers``: which others it may send.
    """
    origin = request.META.get("HTTP_ORIGIN", "")
    if origin or conf.ALLOWED_ORIGINS:
        patch_vary_headers(response, ["Origin"])
    if origin and _is_named(origin, sender):
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Credentials"] = "true"
        response["Access-Control-Allow-Methods"] = "POST"
        response["Access-Control-Allow-Headers"] = headers
        response["Access-Control-Max-Age"] = "86400"


def _is_named(origin: str, sender: Sender | None) -> bool:
    """Say whether the settings allow ``origin``, or the sender's source does."""
    if origin in conf.ALLOWED_ORIGINS:
        return True
    if sender is None:
        return is_allowed_somewhere(origin)
    return sender.known is not None and origin in sender.known.origins


def _is_own(origin: str, request: HttpRequest) -> bool:
    try:
        return urlsplit(origin).netloc == request.get_host()
    except (DisallowedHost, ValueError):
        return False
