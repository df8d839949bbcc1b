"""Which pages may post: the site's own, and those of ALLOWED_ORIGINS."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from identity_tracking.conf import conf


def is_allowed(request: HttpRequest) -> bool:
    """Say whether the page that posts may: by Sec-Fetch-Site, else by Origin.

    A client that sends neither is no browser; it proves nothing, and gains nothing.
    """
    origin = request.META.get("HTTP_ORIGIN", "")
    if origin and origin in conf.ALLOWED_ORIGINS:
        return True
    site = request.META.get("HTTP_SEC_FETCH_SITE")
    if site:
        return str(site) == "same-origin"
    return not origin or _is_own(origin, request)


def allow(
    request: HttpRequest, response: HttpResponseBase, *, headers: str = "content-type"
) -> None:
    """Let a page of another, allowed origin read ``response`` and send its cookies.

    ``headers``: which others it may send.
    """
    if not conf.ALLOWED_ORIGINS:
        return
    patch_vary_headers(response, ["Origin"])
    origin = request.META.get("HTTP_ORIGIN", "")
    if origin in conf.ALLOWED_ORIGINS:
        response["Access-Control-Allow-Origin"] = origin
        response["Access-Control-Allow-Credentials"] = "true"
        response["Access-Control-Allow-Methods"] = "POST"
        response["Access-Control-Allow-Headers"] = headers
        response["Access-Control-Max-Age"] = "86400"


def _is_own(origin: str, request: HttpRequest) -> bool:
    try:
        return urlsplit(origin).netloc == request.get_host()
    except (DisallowedHost, ValueError):
        return False
