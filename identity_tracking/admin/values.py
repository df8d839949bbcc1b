"""What came from outside, as text that is safe to look at: cut, and nothing hidden in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit, urlunsplit

from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime

from identity_tracking.exceptions import InvalidMessage
from identity_tracking.messages import moment
from identity_tracking.payloads import Json

BRIEF = 80  # characters of a value that are shown at once
WHOLE = 5_000  # characters of a value that a page holds at all
PAST = 100_000_000  # unix seconds, of March 1973: a smaller number is hardly a time

# Control characters, marks that reorder or hide the text around them, and halves of a character,
# which no page can hold: what was refused for one is shown, too.
_TREACHEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ud800-\udfff\ufeff]"
)
_WEB_ADDRESS = re.compile(r"https?://[^\s\\\"'<>]+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A value in brief, and ``whole`` where that says more."""

    brief: str
    whole: str = ""


def in_brief(value: Json, name: str = "") -> Shown:
    """Return any JSON as it is shown in a table, under ``name``."""
    text = readable(value, name)
    brief = cut(" ".join(text.split()), BRIEF)
    structured = isinstance(value, dict | list) and bool(value) and not _is_enumeration(value)
    if brief == text and not structured:
        return Shown(brief=brief)
    return Shown(brief=brief, whole=cut(pretty(value) if structured else text, WHOLE))


def readable(value: Json, name: str = "") -> str:
    """Return text as it is, a list of words as words, anything else as JSON on one line.

    The number of an attribute called ``created_at``, ``paid_at`` … is shown as the time it is.
    """
    if isinstance(value, str):
        return plain(value)
    if name.endswith("_at") and (time := _time(value)):
        return date_format(localtime(time), "SHORT_DATETIME_FORMAT")
    if _is_enumeration(value):
        return ", ".join(readable(one) for one in value)
    return plain(json.dumps(value, ensure_ascii=False))


def pretty(value: Json) -> str:
    """Return any JSON, indented."""
    return plain(json.dumps(value, ensure_ascii=False, indent=2))


def plain(text: str) -> str:
    r"""Make visible, as \u202e, what would reorder or hide the text around it."""
    return _TREACHEROUS.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def web_address(value: Json) -> str:
    """Return an http or https address as it is, and "" for all else: only these are links."""
    return value if isinstance(value, str) and _WEB_ADDRESS.fullmatch(value) else ""


def path_here(address: str, host: str) -> str:
    """Return the path and query of a web address on ``host``, whatever its port; "" elsewhere."""
    try:
        parts = urlsplit(address)
        is_here = parts.hostname == urlsplit(f"//{host}").hostname
    except ValueError:
        return ""
    return urlunsplit(("", "", parts.path or "/", parts.query, "")) if is_here else ""


def web_link(value: Json) -> SafeString | str:
    """Return an address as a link, where it may be one, and as text otherwise."""
    text = cut(readable(value), BRIEF) if value else ""
    if not web_address(value):
        return text
    return format_html('<a href="{}" rel="noopener nofollow noreferrer">{}</a>', value, text)


def block(value: Json) -> SafeString:
    """Return any JSON, indented, as a block of a page."""
    return format_html('<pre class="it-json" tabindex="0">{}</pre>', cut(pretty(value), 20 * WHOLE))


def instant(value: Json) -> datetime | None:
    """Read a time that we wrote into JSON ourselves."""
    try:
        return localtime(datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return None


def _time(value: Json) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool) or value < PAST:
        return None
    try:
        return moment(value)
    except InvalidMessage:
        return None


def _is_enumeration(value: Json) -> bool:
    """Say whether a list reads the same as its items with commas between."""
    return (
        isinstance(value, list)
        and bool(value)
        and not any(isinstance(one, dict | list) or "," in str(one) for one in value)
    )
