"""Refuse, for ever, whoever was erased: only a keyed hash of what they were called is kept.

Hashed is an identifier's primary key, a digest of what cleaning leaves of it: so every spelling
that means the same is refused. Without a key nobody was erased, and nothing is asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID, uuid4

from django.utils import timezone

from identity_tracking.conf import conf
from identity_tracking.exceptions import SuppressionKeyMissing
from identity_tracking.identifiers import Names, digest, names
from identity_tracking.messages import Message
from identity_tracking.models import FailedEvent, Suppression
from identity_tracking.models.removal import remove

MAX_NAMED = 20  # identifiers looked for in one failed event: what names somebody stands in front
_NAMING = re.compile(
    r'"(id|email|anonymous_?id|cio_id|user_?id|previous_?id)"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d{1,150}(?:\.\d{1,20})?)',
    re.IGNORECASE,
)


def suppress(keys: Iterable[UUID], using: str) -> None:
    """Refuse from now on whatever has one of ``keys``, in the transaction at hand."""
    secret, now, together = require_key(), timezone.now(), uuid4()
    Suppression.objects.using(using).bulk_create(
        [
            Suppression(hash=hashed, made_with=mark(secret), suppressed_at=now, together=together)
            for hashed in sorted(_hashed(key, secret) for key in {*keys})
        ],
        ignore_conflicts=True,
    )


def unsuppress(keys: Iterable[UUID], using: str) -> None:
    """Refuse no longer what has one of ``keys``, nor what was refused together with it."""
    rows = Suppression.objects.using(using)
    require_key()
    named = rows.filter(hash__in=_hashes(keys))
    groups = {group for group in named.values_list("together", flat=True) if group}
    remove(named)
    remove(rows.filter(together__in=groups))


def suppressed(
    messages: Sequence[Sequence[Message]], failed: Sequence[FailedEvent], using: str
) -> tuple[set[int], set[int]]:
    """Return which of ``messages``, and which of ``failed``, are refused; one query for all.

    Each message comes in all its ways: as it was sent, and with whom its cio_id means.
    """
    if not secrets():
        return set(), set()
    called = [_hashes({key for one in ways for key in keys_of(one)}) for ways in messages]
    named = [_hashes(keys_in(event)) for event in failed]
    wanted = set().union(*called, *named)
    rows = Suppression.objects.using(using).filter(hash__in=wanted)
    refused = set(rows.values_list("hash", flat=True))
    return _which(called, refused), _which(named, refused)


def among(keys: Iterable[UUID], using: str) -> set[UUID]:
    """Return which of ``keys`` are refused."""
    hashed = {one: named for named in keys for one in _hashes([named])}
    rows = Suppression.objects.using(using).filter(hash__in=hashed)
    return {hashed[one] for one in rows.values_list("hash", flat=True)}


def keys_of(message: Message) -> set[UUID]:
    """Return the keys of everything that ``message`` calls anybody, claimed or not.

    Whom an alias was before may be an id or an email, and an anonymous id an email: some clients
    send them so.
    """
    browser = message.names.anonymous_id
    said = [browser.value] if browser and "@" in browser.value else []
    said += [message.previous.value] if message.previous else []
    return keys_of_names(message.names).union(*map(_meanings, said))


def keys_of_names(called: Names) -> set[UUID]:
    """Return the keys of everything that somebody is ``called``."""
    said = {ref.key for ref in (*called.refs, *called.also)}
    return said | ({cio_id_key(called.cio_id)} if called.cio_id else set())


def keys_in(event: FailedEvent) -> set[UUID]:
    """Return the keys of everybody whom a failed event may name, wherever in it that stands."""
    return {key for found in _findings(event.payload) for key in _meanings(_value(found[2]))}


def cio_id_key(cio_id: str) -> UUID:
    """Return the key by which a cio_id is suppressed."""
    return digest("cio_id", cio_id)


def secrets() -> list[str]:
    """Return what names are hashed with: SUPPRESSION_KEY, else API_KEY.

    With both, whoever was erased before there was the first is looked for by the second.
    """
    return [*dict.fromkeys(filter(None, (conf.SUPPRESSION_KEY, conf.API_KEY)))]


def require_key() -> str:
    """Return what to hash names with. Raises SuppressionKeyMissing where there is nothing."""
    if found := secrets():
        return found[0]
    raise SuppressionKeyMissing("Set SUPPRESSION_KEY: without it nobody can be erased.")


def mark(secret: str) -> str:
    """Return what tells one SUPPRESSION_KEY from another, and tells nothing of it."""
    return blake2b(secret.encode(), digest_size=8, person=b"which key").hexdigest()


def _findings(payload: str) -> list[re.Match[str]]:
    matches = _NAMING.finditer(payload)
    return [match for match, _ in zip(matches, range(MAX_NAMED), strict=False)]


def _value(text: str) -> object:
    """Return what ``text`` is in JSON; it was cut out of what may be none."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _meanings(value: object) -> set[UUID]:
    """Return the keys of all that ``value`` may mean, by itself."""
    meant: list[Names] = [names(id=value), names(email=value), names(anonymous_id=value)]
    keys = {ref.key for one in meant for ref in one.refs}
    return keys | {cio_id_key(one.cio_id) for one in meant if one.cio_id}


def _which(said: Iterable[set[str]], refused: set[str]) -> set[int]:
    return {index for index, hashes in enumerate(said) if hashes & refused}


def _hashes(keys: Iterable[UUID]) -> set[str]:
    """Return all by which a row may refuse one of ``keys``."""
    return {_hashed(key, secret) for secret in secrets() for key in keys}


def _hashed(key: UUID, secret: str) -> str:
    return blake2b(key.bytes, key=_salt(secret), digest_size=32).hexdigest()


@lru_cache(maxsize=8)
def _salt(secret: str) -> bytes:
    return blake2b(secret.encode(), digest_size=32).digest()  # of any length; a key has 64 bytes
