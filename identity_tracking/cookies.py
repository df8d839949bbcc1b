"""The two cookies: names, encoding, attributes, and which responses of a page may carry them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import quote, unquote, unquote_plus

from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control, patch_vary_headers

from identity_tracking.conf import conf

SameSite = Literal["None", "Lax"]

ANONYMOUS_COOKIE = "_cioanonid"  # Customer.io's names, so that its snippet and ours agree
PERSON_COOKIE = "_cioid"
ANALYTICS_COOKIE = "ajs_anonymous_id"  # Segment's

_LEGAL = "!#$%&'()*+-./:<=>?@[]^_`{|}~"  # RFC 6265's cookie-octets, beside letters and digits
_SHARED = re.compile(r"public|s-maxage|max-age=[1-9]", re.IGNORECASE)
_TO_CACHES = ("Surrogate-Control", "CDN-Cache-Control", "X-Accel-Expires")  # heed no "private"


def encode(value: str) -> str:
    """Return an id as the cookie holds it: as the script's encodeURIComponent writes it."""
    return quote(value, safe="")


def decode(value: str) -> str:
    """Return the id that a cookie holds, also where another script wrote it as it is."""
    return unquote(value, errors="replace")


def reread(read: Any, sent: str) -> Any:
    """Return what our script ``read`` from a cookie as that cookie, ``sent`` too, means it.

    In one that another script wrote as it is ours takes "+" for a space, and "&" for the end.
    """
    return decode(sent) if read == unquote_plus(sent.partition("&")[0]) else read


def as_sent(value: str) -> str:
    """Return a cookie's value to be sent again: the same, but for what no cookie may hold."""
    return quote(value, safe=_LEGAL)


def write(
    request: HttpRequest, response: HttpResponseBase, values: Mapping[str, str | None]
) -> None:
    """Set cookies on ``response``; None deletes one. It becomes private and varies by cookie."""
    same_site: SameSite = "None" if conf.CROSS_SITE else "Lax"
    for name, value in values.items():
        _let_twin_go(request, response, name, same_site)
        if value is None:
            response.delete_cookie(name, domain=conf.COOKIE_DOMAIN, samesite=same_site)
            continue
        response.set_cookie(
            name,
            value,
            max_age=conf.COOKIE_MAX_AGE,
            domain=conf.COOKIE_DOMAIN,
            secure=conf.CROSS_SITE or request.is_secure(),
            samesite=same_site,
        )
        response.cookies[name].set(name, value, value)  # Python would quote legal characters
    make_private(response)


def sent_as(request: HttpRequest, name: str) -> list[str]:
    """Return all that the browser has under one name: two, where the host and its domain set it."""
    sent = request.META.get("HTTP_COOKIE", "")
    if sent.count(f"{name}=") <= 1:  # as nearly always
        return [request.COOKIES[name]] if name in request.COOKIES else []
    return re.findall(rf"(?:^|;) *{name}=([^;]*)", sent)


def has_twins(request: HttpRequest) -> bool:
    """Say whether the browser has two cookies of one name, of which its script reads the older."""
    return any(sent_as(request, name)[1:] for name in (ANONYMOUS_COOKIE, PERSON_COOKIE))


def is_of_before(request: HttpRequest) -> bool:
    """Say whether a reset gave the domain another id, and could not reach the host's person."""
    anonymous, person = sent_as(request, ANONYMOUS_COOKIE), sent_as(request, PERSON_COOKIE)
    return bool(conf.COOKIE_DOMAIN) and len(set(anonymous)) > len(person)


def _let_twin_go(
    request: HttpRequest, response: HttpResponseBase, name: str, same_site: SameSite
) -> None:
    """Delete the cookie that a browser may keep beside ours, from before COOKIE_DOMAIN was set.

    Without COOKIE_DOMAIN it is the host's own domain's: others may be another site's, and in use.
    Goes before ours, which some hosts, as localhost, cannot tell from it.
    """
    if not (conf.COOKIE_DOMAIN or sent_as(request, name)[1:]):
        return
    domain = None if conf.COOKIE_DOMAIN else split_domain_port(request.get_host())[0]
    spare = HttpResponse()
    spare.delete_cookie(name, domain=domain, samesite=same_site)
    response.cookies[f"{name} of before"] = spare.cookies[name]  # the key is sent nowhere


def make_private(response: HttpResponseBase) -> None:
    """Have no cache hand ``response`` on to others."""
    for name in _TO_CACHES:
        del response[name]
    patch_cache_control(response, private=True)
    patch_vary_headers(response, ["Cookie"])


def may_greet(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Say whether a new visitor's cookie may go with ``response``: a page that no cache keeps."""
    return (
        request.method == "GET"
        and response.status_code == HTTPStatus.OK
        and not response.streaming
        and response.get("Content-Type", "").startswith("text/html")
        and not _is_shared(request, response)
        and not request.path.startswith(tuple(conf.EXCLUDE_PATHS))
    )


def _is_shared(request: HttpRequest, response: HttpResponseBase) -> bool:
    """Say whether a cache may hand ``response`` to others, or was handed one by ``request``.

    The site's cache middleware stores a response only after this one has seen it; its mark on
    the request tells that it is about to.
    """
    control = response.get("Cache-Control", "")
    cacheable = _SHARED.search(control) or response.has_header("Expires")
    return (
        getattr(request, "_cache_update_cache", False)
        or bool(cacheable and "private" not in control)
        or any(response.has_header(name) for name in _TO_CACHES)
        or "HTTP_IF_NONE_MATCH" in request.META
        or "HTTP_IF_MODIFIED_SINCE" in request.META
    )
