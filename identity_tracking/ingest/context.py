"""Where a message came from: page, browser and address, cut down to what may be kept."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest

from identity_tracking.conf import conf
from identity_tracking.payloads import Json, clean_text

MAX_URL = 2_000  # characters
MAX_TITLE = 300  # characters
MAX_CAMPAIGN = 300  # characters
CLICK_IDS = (
    *("gclid", "gbraid", "wbraid", "dclid"),
    *("fbclid", "msclkid", "ttclid", "twclid", "li_fat_id"),
)
CAMPAIGN = {
    "utm_source": "source",
    "utm_medium": "medium",
    "utm_campaign": "name",
    "utm_term": "term",
    "utm_content": "content",
    "utm_id": "id",
    **{name: name for name in CLICK_IDS},
}
KEPT_BITS = {4: 16, 6: 48}  # of an address; the rest is zeroed before anything is stored


def page_context(*, url: Any = None, title: Any = None, referrer: Any = None) -> dict[str, Json]:
    """Return what is kept of a page: its URL and referrer without private parameters, its title."""
    address = clean_url(url)
    page = {
        "url": address,
        "path": urlsplit(address).path,
        "title": clean_text(title, MAX_TITLE),
        "referrer": clean_url(referrer),
    }
    return {name: value for name, value in page.items() if value}


def clean_url(value: Any) -> str:
    """Return a URL without fragment, credentials and all parameters but URL_PARAMETERS.

    What is no http(s) URL, or cannot be read, becomes "": nobody is ever led to it.
    """
    text = clean_text(value, MAX_URL)
    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
        kept = [(key, item) for key, item in parse_qsl(parts.query) if key in conf.URL_PARAMETERS]
    except ValueError:
        return ""
    if parts.scheme not in {"http", "https", ""} or (parts.scheme and not host):
        return ""
    return urlunsplit((parts.scheme, host, parts.path, urlencode(kept), ""))[:MAX_URL]


def placed(page: Mapping[str, Json], said: Mapping[str, Any] | None = None) -> dict[str, Json]:
    """Return the context that ``page`` gives a message: itself, and the campaign that led to it.

    ``said``: what the call itself says of the campaign.
    """
    led = _campaign(str(page.get("url", "")), said or {})
    return {**({"page": dict(page)} if page else {}), **({"campaign": led} if led else {})}


def cut_address(value: str) -> str:
    """Return an IP address without its last two bytes (IPv6: all but the first six), or ""."""
    try:
        address = ip_address(value)
    except ValueError:
        return ""
    network = ip_network(f"{address}/{KEPT_BITS[address.version]}", strict=False)
    return str(network.network_address)


def peer_address(meta: dict[str, Any]) -> str:
    """Return the visitor's address: the peer's, or as many hops back as TRUSTED_PROXIES says.

    None as 0: what is stored is then at worst the address of a proxy.
    """
    hops = [
        hop.strip() for hop in str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",") if hop.strip()
    ]
    proxies = conf.TRUSTED_PROXIES
    if proxies and len(hops) >= proxies:
        return hops[-proxies]
    return str(meta.get("REMOTE_ADDR", ""))


def request_context(
    request: HttpRequest, page: Mapping[str, Json] | None = None
) -> dict[str, Json]:
    """Return the context of a message that came with ``request``, as the server saw it.

    ``page``: what ``page_context`` made of the page, where that is not the request itself.
    """
    if page is None:
        page = page_context(
            url=_own_url(request),
            referrer=request.META.get("HTTP_REFERER"),
        )
    context = {
        **placed(page),
        "ip": cut_address(peer_address(request.META)),
        "user_agent": _text(request.META.get("HTTP_USER_AGENT")),
    }
    return {name: value for name, value in context.items() if value}


def _campaign(url: str, said: Mapping[str, Any]) -> dict[str, Json]:
    """Return what UTM parameters and click ids say, in Segment's words.

    ``{"source": "news", "medium": "email", "name": "fall", "gclid": "…"}``
    https://segment.com/docs/connections/spec/common/#context
    """
    query = parse_qsl(urlsplit(url).query) if "?" in url else ()
    found = {CAMPAIGN[key]: value for key, value in query if key in CAMPAIGN}
    found |= {key: said[key] for key in CAMPAIGN.values() if isinstance(said.get(key), str)}
    return {name: clean_text(value, MAX_CAMPAIGN) for name, value in found.items() if value}


def _own_url(request: HttpRequest) -> str:
    try:
        return request.build_absolute_uri()
    except (SuspiciousOperation, KeyError):  # a host that is not allowed, or a request made by hand
        return request.path


def _text(value: Any) -> str:
    """Return a header as text that can be stored; what cannot be is left out."""
    return clean_text(str(value or "").encode("utf-8", "ignore").decode().replace("\0", ""), 300)
