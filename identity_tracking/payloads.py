"""JSON from outside, made safe for every database alike; decides nothing about its meaning."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, TypeAlias

from django.core.serializers.json import DjangoJSONEncoder

from identity_tracking.exceptions import InvalidMessage
from identity_tracking.nesting import shallow

Json: TypeAlias = Any  # None, bool, int, float, str, list[Json] or dict[str, Json]

MAX_DEPTH = 16  # MariaDB refuses 32 and deeper
MAX_KEYS = 300  # in one message, at all depths
MAX_MESSAGE = 32_768  # bytes: Segment's limit for an event
MAX_KEPT = 4 * MAX_MESSAGE  # characters of what was refused: in ASCII text is thrice as long
MAX_NAME = 150  # characters of an attribute's, event's or object's name
INTEGERS = range(-(2**63), 2**63)


def decode(body: bytes, *, limit: int) -> Json:
    """Parse ``body`` as strict JSON: UTF-8 alone, no NaN, at most ``limit`` bytes.

    What nests deeper than Python reads loses what is deepest, and is still too deep for a
    message: so one such event spoils none beside it. Raises InvalidMessage with the code
    ``too_large`` or ``invalid_json``.
    """
    if len(body) > limit:
        raise InvalidMessage(f"A body has at most {limit} bytes.", code="too_large")
    try:
        return _parsed(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidMessage("The body is not UTF-8 encoded JSON.", code="invalid_json") from error


def clean_mapping(value: Any) -> dict[str, Json]:
    """Return ``value``, a mapping of anything JSON can hold, as every database can keep it.

    Dates, Decimals, UUIDs and lazy strings become what Django's JSON encoder makes of them.
    Raises InvalidMessage, with a code per reason.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidMessage("Properties and attributes are objects.", code="not_an_object")
    cleaned: dict[str, Json] = _Cleaner().clean(value, 1)
    if size(cleaned) > MAX_MESSAGE:
        raise InvalidMessage(f"A message has at most {MAX_MESSAGE} bytes.", code="too_large")
    return cleaned


def clean_text(value: Any, limit: int) -> str:
    """Return ``value`` as one line of text that every database can keep, cut to ``limit``."""
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise InvalidMessage("A name is text.", code="not_text")
    return " ".join(_storable(_text(value, "not_text")).split())[:limit]


def size(value: Any) -> int:
    """Return how many bytes of UTF-8 anything has as JSON; 0 for what is too deep to be written."""
    try:
        text = json.dumps(value, default=str, ensure_ascii=False)
    except RecursionError:
        return 0
    return len(text.encode("utf-8", "surrogatepass"))


def printable(value: Any) -> str:
    """Return anything as text in ASCII, as JSON if it can be, to be kept though it was refused."""
    try:
        return json.dumps(value, default=str)[:MAX_KEPT]
    except (TypeError, ValueError, RecursionError) as error:
        return json.dumps(str(error))


class _Cleaner:
    def __init__(self) -> None:
        self.keys = 0

    def clean(self, value: Any, depth: int) -> Json:
        if depth > MAX_DEPTH:
            raise InvalidMessage(f"JSON nests at most {MAX_DEPTH} deep.", code="too_deep")
        if isinstance(value, str):
            return _storable(value)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return _number(value)
        if isinstance(value, Mapping):
            return {self.key(key): self.clean(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.clean(item, depth + 1) for item in value]
        return _encoded(value)

    def key(self, key: Any) -> str:
        self.keys += 1
        if self.keys > MAX_KEYS:
            raise InvalidMessage(f"A message has at most {MAX_KEYS} keys.", code="too_many_keys")
        text = _storable(_text(key, "not_json"))
        if len(text) > MAX_NAME:
            raise InvalidMessage(f"A key has at most {MAX_NAME} characters.", code="key_too_long")
        return text


def _parsed(text: str) -> Json:
    try:
        return _strict(text)
    except RecursionError:
        return shallow(text, _strict)


def _strict(text: str) -> Json:
    return json.loads(text, parse_constant=_refuse_constant)


def _number(value: float) -> float:
    if isinstance(value, int) and value not in INTEGERS:
        raise InvalidMessage("Integers have at most 64 bits.", code="number_too_large")
    if not math.isfinite(value):
        raise InvalidMessage("Numbers are finite.", code="number_not_finite")
    return value


def _storable(value: str) -> str:
    if "\0" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise InvalidMessage("Text holds no NUL and no lone surrogate.", code="invalid_text")
    return value


def _encoded(value: Any) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    try:
        encoded = str(DjangoJSONEncoder().default(value))
    except (TypeError, ValueError) as error:
        kind = type(value).__name__
        raise InvalidMessage(f"{kind} is not JSON.", code="not_json") from error
    return _storable(encoded)


def _text(value: Any, code: str) -> str:
    try:
        return str(value)
    except ValueError as error:  # Python writes no integer of more than 4,300 digits
        raise InvalidMessage("This is no text.", code=code) from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
