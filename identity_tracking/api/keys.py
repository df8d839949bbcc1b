"""Who sends to the server APIs: a source, proven by its secret key. No browser may hold one."""

from __future__ import annotations

import base64
import binascii
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.crypto import constant_time_compare
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from identity_tracking.conf import conf
from identity_tracking.models import Entrance, FailedEvent
from identity_tracking.payloads import printable

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sender:
    """A source, and whether what it says is trusted: whether it proved its secret key."""

    source: str
    trusted: bool

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


class SecretKey(BaseAuthentication):
    """HTTP Basic with SITE_ID and API_KEY, as the Track API's clients send them.

    ``request.auth`` becomes the Sender. 401 ``unknown_source`` for anybody else, and 403
    ``secret_in_browser`` where a page sends the key: then everybody can read it.
    https://docs.customer.io/integrations/api/track/#section/Authentication
    """

    def authenticate(self, request: Request) -> tuple[Any, Sender]:
        site_id, _colon, key = _credentials(request.META.get("HTTP_AUTHORIZATION", ""))
        is_source = constant_time_compare(site_id, conf.SITE_ID)
        is_key = constant_time_compare(key, conf.API_KEY)
        if not (conf.API_KEY and is_source and is_key):
            raise AuthenticationFailed("No source has this site_id and key.", "unknown_source")
        refuse_pages(request)
        return None, Sender(source=site_id, trusted=True)

    def authenticate_header(self, request: Request) -> str:
        return 'Basic realm="identity_tracking"'


def sender_of(request: HttpRequest, body: Any) -> Sender:
    """Return whose write key a request has: the secret one is trusted, the public SITE_ID is not.

    It stands in the Authorization, as Basic (the colon after it may lack) or Bearer; the public
    one also in the body or the query, which logs keep. Raises AuthenticationFailed for any
    other, and PermissionDenied where a page has the secret.
    """
    key = _write_key(request.META.get("HTTP_AUTHORIZATION", ""))
    if key and conf.API_KEY and constant_time_compare(key, conf.API_KEY):
        refuse_pages(request)
        return Sender(source=conf.SITE_ID, trusted=True)
    in_body = body.get("writeKey") if isinstance(body, dict) else None
    public = key or in_body or request.GET.get("writeKey")
    if not (isinstance(public, str) and constant_time_compare(public, conf.SITE_ID)):
        raise AuthenticationFailed("No source has this write key.", "unknown_source")
    return Sender(source=conf.SITE_ID, trusted=False)


def refuse_pages(request: HttpRequest | Request) -> None:
    """Refuse a secret key that comes from a page, and say in the log that it has leaked."""
    if "HTTP_ORIGIN" in request.META:
        logger.warning("A page sent the secret API_KEY: everybody can read it there. Change it.")
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
