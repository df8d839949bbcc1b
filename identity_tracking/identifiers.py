"""Identifiers as values: what a message calls somebody, cleaned. Knows no database.

Precedence (R0 of the identity rules, see docs/identity.md):

1. values become trimmed strings; junk is absent;
2. an ``id`` of the form ``cio_…`` is a cio_id;
3. an ``id`` that is an email address is an email, and wins over another ``email`` beside it,
   which is what the person is *also* called;
4. any other ``id`` is kept as it is, case and all.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import IntegerChoices
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidIdentifier

MAX_BYTES = 150  # of an id or anonymous id: Customer.io's limit, https://docs.customer.io/integrations/api/track/
MAX_EMAIL = 254  # characters: RFC 5321, section 4.5.3.1
JUNK = frozenset(
    {"", "null", "none", "undefined", "nan", "anonymous", "guest", "unknown", "true", "false"}
    | {"id", "email", "distinct_id", "[object object]", "-1"}
)

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_LOOSE_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_CIO_ID = re.compile(r"cio_[A-Za-z0-9]+")
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class Kind(IntegerChoices):
    """What sort of identifier; the number is its level, and claims only point upwards."""

    ANONYMOUS_ID = 1, _("anonymous id")
    EMAIL = 2, _("email")
    ID = 3, _("id")


class Ref(NamedTuple):
    """One identifier, by kind and value."""

    kind: Kind
    value: str

    @property
    def field(self) -> str:
        """What this kind is called on the wire: "id", "email" or "anonymous_id"."""
        return self.kind.name.lower()

    @property
    def key(self) -> UUID:
        """The primary key of this identifier, the same in every process and database."""
        return digest(str(int(self.kind)), self.value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """Everything a message calls its person, cleaned. ``refused`` holds what could not be used.

    ``also``: a further id or email, that only a trusted message can give (R9).
    """

    id: Ref | None = None
    email: Ref | None = None
    anonymous_id: Ref | None = None
    cio_id: str | None = None
    also: tuple[Ref, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def refs(self) -> tuple[Ref, ...]:
        return tuple(ref for ref in (self.id, self.email, self.anonymous_id) if ref)

    @property
    def alone(self) -> Names:
        """The same names without what somebody is also called: that is refused."""
        refused = (*self.refused, *(ref.field for ref in self.also))
        return replace(self, also=(), refused=refused)

    @classmethod
    def of(
        cls, ref: Ref, *, anonymous_id: Ref | None = None, refused: tuple[str, ...] = ()
    ) -> Names:
        """Return the names of a message that calls its person ``ref``."""
        return cls(
            id=ref if ref.kind is Kind.ID else None,
            email=ref if ref.kind is Kind.EMAIL else None,
            anonymous_id=ref if ref.kind is Kind.ANONYMOUS_ID else anonymous_id,
            refused=refused,
        )

    @property
    def head(self) -> Ref | None:
        """The highest identifier, or None."""
        return self.id or self.email or self.anonymous_id


def digest(*parts: str) -> UUID:
    """Return a UUID that stands for ``parts``, in their order: RFC 9562's version 8, "custom".

    Not any 16 bytes: MariaDB refuses a quarter of those, and sorts many from their end.
    """
    hashed = bytearray(blake2b("\0".join(parts).encode(), digest_size=16).digest())
    hashed[6] = hashed[6] & 0x0F | 0x80
    hashed[8] = hashed[8] & 0x1F | 0xA0  # the RFC allows 0x80 to 0xBF, MariaDB not 0x80
    return UUID(bytes=bytes(hashed))


def names(
    *, id: Any = None, email: Any = None, anonymous_id: Any = None, cio_id: Any = None
) -> Names:
    """Clean what a message calls its person.

    Values may be strings or numbers. What is junk counts as absent; what is too long or
    unprintable is left out and listed in ``refused``, so that the rest still counts.
    """
    reader = _Reader()
    own = reader.read("id", id, MAX_EMAIL)
    own_cio_id = reader.read("cio_id", cio_id)
    mail = reader.read_email(email)
    visitor = reader.read("anonymous_id", anonymous_id)
    also: tuple[Ref, ...] = ()
    if own and _CIO_ID.fullmatch(own):
        own, own_cio_id = None, own_cio_id or own
    elif own and is_email(own):
        spare, mail, own = mail, own.lower(), None
        also = (Ref(Kind.EMAIL, spare),) if spare and spare != mail else ()
    elif own and not reader.is_short("id", own):
        own = None
    return Names(
        id=Ref(Kind.ID, own) if own else None,
        email=Ref(Kind.EMAIL, mail) if mail else None,
        anonymous_id=Ref(Kind.ANONYMOUS_ID, visitor) if visitor else None,
        cio_id=own_cio_id.removeprefix("cio_") if own_cio_id else None,
        also=also,
        refused=tuple(reader.refused),
    )


def is_email(value: str) -> bool:
    """Say whether an ``id`` is really an email address."""
    return len(value) <= MAX_EMAIL and bool(_EMAIL.fullmatch(value))


class _Reader:
    """Reads names; what could not be used is in ``refused``."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def read(self, name: str, raw: Any, limit: int = MAX_BYTES) -> str | None:
        try:
            return _clean(raw, limit)
        except InvalidIdentifier:
            self.refused.append(name)
            return None

    def read_email(self, raw: Any) -> str | None:
        mail = self.read("email", raw, MAX_EMAIL)
        if mail and not _LOOSE_EMAIL.fullmatch(mail):
            self.refused.append("email")
            return None
        return mail.lower() if mail else None

    def is_short(self, name: str, value: str) -> bool:
        """Say whether ``value``, which might have been a longer email, is no longer than an id."""
        if len(value.encode()) <= MAX_BYTES:
            return True
        self.refused.append(name)
        return False


def _clean(raw: Any, limit: int) -> str | None:
    value = _text(raw)
    if _is_junk(value):
        return None
    if _UNPRINTABLE.search(value):
        raise InvalidIdentifier("An identifier holds no control characters.", code="unprintable")
    if len(value.encode()) > limit:
        raise InvalidIdentifier(f"An identifier has at most {limit} bytes.", code="too_long")
    return value


def _text(raw: Any) -> str:
    """Return ``raw`` as trimmed text, "" where it is none."""
    if raw is None:
        return ""
    if not isinstance(raw, str | int | float | UUID | Promise):
        raise InvalidIdentifier("An identifier is a string or a number.")
    if isinstance(raw, float):
        if not math.isfinite(raw):
            return ""
        raw = int(raw) if raw.is_integer() else raw
    try:
        return str(raw).strip()
    except ValueError as error:  # Python writes no integer of more than 4,300 digits
        raise InvalidIdentifier("An identifier is short.", code="too_long") from error


def _is_junk(value: str) -> bool:
    lower = value.lower()
    return lower in JUNK or not value.strip("0") or lower in {j.lower() for j in conf.JUNK}
