"""Whether a browser may be followed: its visitor's consent, and the signals it sends.

Asks the request alone, and the site's own hook. What a page or the script makes of it, and why
caches do not get in the way, stands in docs/privacy.md.
"""

from __future__ import annotations

import logging
from enum import StrEnum

from django.http import HttpRequest

from identity_tracking.conf import conf

SIGNALS = ("Sec-GPC", "DNT")  # https://w3c.github.io/gpc/ and https://www.w3.org/TR/tracking-dnt/
_GPC, _DNT = "HTTP_SEC_GPC", "HTTP_DNT"  # the same: request.headers costs more, on every page
NO = frozenset({"", "0", "false", "no", "off", "denied", "rejected"})

logger = logging.getLogger(__name__)


class Consent(StrEnum):
    """What the setting CONSENT may say."""

    OFF = "off"
    OPT_OUT = "opt-out"
    REQUIRED = "required"


def allows(request: HttpRequest) -> bool:
    """Say whether the browser may be followed from page to page."""
    return is_given(request) and not objects(request)


def is_given(request: HttpRequest) -> bool:
    """Say whether anything of the request may be recorded, as far as consent goes."""
    if conf.CONSENT == Consent.OFF:
        return True
    told = _told(request)
    return told is True if conf.CONSENT == Consent.REQUIRED else told is not False


def objects(request: HttpRequest) -> bool:
    """Say whether the browser sends a signal that it is not to be followed."""
    told = request.META.get
    return (told(_GPC) == "1" or told(_DNT) == "1") and conf.HONOUR_SIGNALS


def edition() -> str:
    """Return what sets this site's script apart in its URL, by the settings it depends on.

    A browser keeps the script for a year: it is not to run one from before they were changed.
    """
    everybody = "" if conf.HONOUR_SIGNALS else "-all"
    return everybody if conf.CONSENT == Consent.OFF else f"{everybody}-{conf.CONSENT}"


def _told(request: HttpRequest) -> bool | None:
    """Return what the visitor chose; None: nothing yet. A hook that fails is a no."""
    hook = conf.hook("HAS_CONSENT")
    if hook is None:
        return _chosen(request)
    try:
        answer = hook(request)
    except Exception:
        logger.exception("HAS_CONSENT failed: taken for a no.")
        return False
    return None if answer is None else bool(answer)


def _chosen(request: HttpRequest) -> bool | None:
    """Return what the cookie CONSENT_COOKIE says: "name=yes", or "name" with anything but a no."""
    name, _, yes = conf.CONSENT_COOKIE.partition("=")
    said = request.COOKIES.get(name)
    if said is None:
        return None
    return said == yes if yes else said.lower() not in NO
