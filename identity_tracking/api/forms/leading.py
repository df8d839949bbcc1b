"""Where a form leads to once it was taken: pages of the site and those it lists, no others."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

from identity_tracking.api.keys import Sender
from identity_tracking.conf import conf
from identity_tracking.ingest.context import MAX_URL


def may_lead_to(address: str, request: HttpRequest, sender: Sender) -> bool:
    """Say whether a form may lead to ``address``: else it could be anybody's, for phishing."""
    if not address or len(address) > MAX_URL or not address.isprintable():
        return False
    return _is_own(address, request) or _is_listed(address, sender)


def _is_own(address: str, request: HttpRequest) -> bool:
    try:
        host = request.get_host()
    except DisallowedHost:
        return False
    return url_has_allowed_host_and_scheme(
        address, allowed_hosts={host}, require_https=request.is_secure()
    )


def _is_listed(address: str, sender: Sender) -> bool:
    """Say whether this very page, whatever its query, is listed, or all of its origin."""
    origins = sender.known.origins if sender.known else ()
    listed = [urlsplit(one) for one in (*conf.FORM_SUCCESS_URLS, *conf.ALLOWED_ORIGINS, *origins)]
    if not url_has_allowed_host_and_scheme(address, allowed_hosts={one.netloc for one in listed}):
        return False
    parts = urlsplit(address)
    return any(
        (parts.scheme, parts.netloc) == (one.scheme, one.netloc) and one.path in ("", parts.path)
        for one in listed
    )
