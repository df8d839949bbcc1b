"""What came from outside, as text that is safe to look at: cut, and nothing hidden in it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from django.utils.html import format_html
from django.utils.safestring import SafeString

from identity_tracking.payloads import Json

BRIEF = 80  # characters of a value that are shown at once
WHOLE = 5_000  # characters of a value that a page holds at all

# Control characters, and marks that reorder or hide the text around them.
_TREACHEROUS = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]"
)
_WEB_ADDRESS = re.compile(r"https?://[^\s\\\"'<>]+", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """A value in brief, and ``whole`` where that says more."""

    brief: str
    whole: str = ""


def in_brief(value: Json) -> Shown:
    """Return any JSON as it is shown in a table."""
    text = readable(value)
    brief = cut(" ".join(text.split()), BRIEF)
    structured = isinstance(value, dict | list) and bool(value)
    if brief == text and not structured:
        return Shown(brief=brief)
    return Shown(brief=brief, whole=cut(pretty(value) if structured else text, WHOLE))


def readable(value: Json) -> str:
    """Return text as it is, anything else as JSON on one line."""
    return plain(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


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


def web_link(value: Json) -> SafeString | str:
    """Return an address as a link, where it may be one, and as text otherwise."""
    text = cut(readable(value), BRIEF) if value else ""
    if not web_address(value):
        return text
    return format_html('<a href="{}" rel="noopener nofollow noreferrer">{}</a>', value, text)


def block(value: Json) -> SafeString:
    """Return any JSON, indented, as a block of a page."""
    return format_html('<pre class="it-json">{}</pre>', cut(pretty(value), 20 * WHOLE))


def instant(value: Json) -> datetime | None:
    """Read a time that we wrote into JSON ourselves."""
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
