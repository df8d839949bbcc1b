"""Who sends to the server APIs: a source, proven by its secret key. No browser may hold one."""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from identity_tracking import sources
from identity_tracking.models import Entrance, FailedEvent
from identity_tracking.payloads import printable
from identity_tracking.sources import Known

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """A source, and whether what it says is trusted: whether it proved a secret key.

    ``known``: what is known of the source; None where nobody asked, as for a call of long ago.
    """

    source: str
    trusted: bool
    known: Known | None = None

    @classmethod
    def of(cls, known: Known, *, trusted: bool) -> Sender:
        return cls(source=known.site_id, trusted=trusted, known=known)

    def refused(
        self, said: Any, code: str, received_at: datetime, entrance: Entrance | str = ""
    ) -> FailedEvent:
        """Return what could not be accepted, as it is kept: unsaved.

        ``entrance``: by which it can be tried again.
        """
        return FailedEvent(
            code=code,
            payload=printable(said),
            source=self.source,
            trusted=self.trusted,
            entrance=entrance,
            received_at=received_at,
        )


class KeyAuthentication(BaseAuthentication):
    """HTTP Basic with a site_id and a secret key of its source, as the Track API's clients send.

    ``request.auth`` becomes the Sender. 401 ``unknown_source`` for anybody else, and 403
    ``secret_in_browser`` where a page sends the key: then everybody can read it.
    https://docs.customer.io/integrations/api/track/#section/Authentication
    """

    def authenticate(self, request: Request) -> tuple[Any, Sender]:
        site_id, _colon, key = _credentials(request.META.get("HTTP_AUTHORIZATION", ""))
        known = sources.secret(key)
        if known is None or known.site_id != site_id:
            raise AuthenticationFailed("No source has this site_id and key.", "unknown_source")
        refuse_pages(request, known)
        return None, Sender.of(known, trusted=True)

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="identity_tracking"'


def sender_of(request: HttpRequest, body: Any) -> Sender:
    """Return whose write key a request has: a secret one is trusted, a public site_id is not.

    It stands in the Authorization, as Basic (the colon after it may lack) or Bearer; the public
    one also in the body or the query, which logs keep. Raises AuthenticationFailed for any
    other, and PermissionDenied where a page has a secret.
    """
    key = _write_key(request.META.get("HTTP_AUTHORIZATION", ""))
    if known := sources.secret(key):
        refuse_pages(request, known)
        return Sender.of(known, trusted=True)
    in_body = body.get("writeKey") if isinstance(body, dict) else None
    public = key or in_body or request.GET.get("writeKey")
    known = sources.public(public) if isinstance(public, str) else None
    if known is None:
        raise AuthenticationFailed("No source has this write key.", "unknown_source")
    return Sender.of(known, trusted=False)


def refuse_pages(request: HttpRequest | Request, known: Known) -> None:
    """Refuse a secret key that comes from a page, and say in the log that it has leaked."""
    if "HTTP_ORIGIN" in request.META:
        logger.warning(
            "A page sent the secret %s: everybody can read it there. Change it.",
            "API_KEY" if known.key is None else f"key {known.key} of {known.site_id}",
        )
        raise PermissionDenied("A secret key has no place in a page.", "secret_in_browser")


def _write_key(header: str) -> str:
    scheme, _space, token = header.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else _credentials(header)[0]


def _credentials(header: str) -> tuple[str, str, str]:
    """Return what an Authorization header holds, split at its first colon."""
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return "", "", ""
    try:
        return base64.b64decode(encoded.strip()).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return "", "", ""
