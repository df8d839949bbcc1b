"""Who is meant by a site_id, and by a secret key: the source of the settings, or a row.

The settings' never costs a query. The rows are read at most once a second, all of them, whatever
is asked: so a revoked key is refused everywhere within that second, and no stranger's guess
costs more than a look into a dictionary.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import inf
from threading import Lock

from django.db import Error
from django.db.models import FilteredRelation, Q
from django.utils.crypto import constant_time_compare
from django.views.decorators.debug import sensitive_variables

from identity_tracking.conf import conf
from identity_tracking.exceptions import Unavailable
from identity_tracking.ingest.transaction import database, in_transaction, reachable
from identity_tracking.models import SecretKey, Source
from identity_tracking.models.moment import present
from identity_tracking.models.source import origins_in

FRESH = 1  # seconds: how long what was read of the rows is believed
PREFIX = "idt_"  # of secret keys: what scans code for leaked ones knows them by it
SIZE = 32  # bytes of a secret key that are random
HINT = 4  # characters
USED_EVERY = 3_600  # seconds: how coarse ``last_used_at`` is

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Known:
    """A source that is enabled. ``key``: of the row that proved it; None for API_KEY, or none."""

    site_id: str
    origins: frozenset[str] = frozenset()
    key: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rows:
    """The enabled sources by site_id, and again by the hash of each of their live keys.

    That hashes are looked up, and not compared in constant time, tells nothing of a key: whoever
    times it learns of hashes, and cannot make a key whose hash begins as he likes.
    """

    public: Mapping[str, Known] = field(default_factory=dict)
    secret: Mapping[str, Known] = field(default_factory=dict)
    origins: frozenset[str] = frozenset()


class Registry:
    """What one process knows of the rows. That they could not be read is remembered as long.

    Readers wait for the one who reads: nobody is judged by what is older than FRESH.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.forget()

    def forget(self) -> None:
        self._using, self._asked_at = "", -inf
        self._rows: Rows | None = None
        self._retry_after = 0
        self.used_at: dict[int, float] = {}  # by key of the row: when its use was noted

    def rows(self) -> Rows:
        """Return the rows as they were at most a second ago. Raises Unavailable."""
        using = database()
        with self._lock:
            if using != self._using:
                self.forget()
            if time.monotonic() - self._asked_at >= FRESH:
                self._ask(using)
            if self._retry_after or self._rows is None:
                raise Unavailable("The sources cannot be read.", retry_after=self._retry_after)
            return self._rows

    def last(self) -> Rows:
        """Return the rows, while the database is in trouble as they were before it."""
        try:
            return self.rows()
        except Unavailable:
            return self._rows or Rows()

    def _ask(self, using: str) -> None:
        self._using, self._asked_at, self._retry_after = using, time.monotonic(), 0
        try:
            with reachable(using):
                self._rows = _read(using)
        except Unavailable as error:
            self._failed(error.retry_after)
        except Error:
            logger.exception("The sources cannot be read.")
            self._failed(Unavailable().retry_after)

    def _failed(self, retry_after: int) -> None:
        """Remember that it failed from now on: who waited is told at once, and waits no more."""
        self._asked_at, self._retry_after = time.monotonic(), retry_after


registry = Registry()


def public(site_id: str) -> Known | None:
    """Return the source that is called ``site_id``. Raises Unavailable."""
    if site_id == conf.SITE_ID:
        return Known(site_id=site_id)
    return registry.rows().public.get(site_id) if site_id else None


def secret(key: str) -> Known | None:
    """Return the source that a secret key proves. Raises Unavailable."""
    if conf.API_KEY and constant_time_compare(key, conf.API_KEY):
        return Known(site_id=conf.SITE_ID)
    return registry.rows().secret.get(_digest(key)) if key.startswith(PREFIX) else None


def is_allowed_somewhere(origin: str) -> bool:
    """Say whether pages of ``origin`` may post for any source: a preflight does not say which."""
    return origin in registry.last().origins


def used(known: Known) -> None:
    """Note that a row's key was used: once an hour in each process. Never raises."""
    key, at = known.key, time.monotonic()
    if key is None or at - registry.used_at.get(key, -inf) < USED_EVERY:
        return
    registry.used_at[key] = at
    using = database()
    try:
        with reachable(using):
            SecretKey.objects.using(using).filter(pk=key).update(last_used_at=present())
    except (Unavailable, Error):
        logger.warning("That secret key %d was used could not be noted.", key, exc_info=True)


@sensitive_variables("key")
def make_key(source: Source, label: str = "") -> str:
    """Return a new secret key of ``source``: it is kept nowhere. Raises Unavailable."""
    key = PREFIX + secrets.token_hex(SIZE)
    row = SecretKey(source=source, digest=_digest(key), hint=key[-HINT:], label=label)
    using = database()
    in_transaction(lambda: row.save(using=using, force_insert=True), using)
    return key


def revoke(key: SecretKey) -> None:
    """Let ``key`` prove nothing any more, from a second later on. Safe to repeat."""
    using = database()
    live = SecretKey.objects.using(using).filter(pk=key.pk, revoked_at=None)
    in_transaction(lambda: live.update(revoked_at=present()), using)


def _read(using: str) -> Rows:
    live = FilteredRelation("keys", condition=Q(keys__revoked_at=None))
    enabled = Source.objects.using(using).filter(enabled=True).annotate(live=live)
    public: dict[str, Known] = {}
    secret: dict[str, Known] = {}
    for site_id, origins, key, digest in enabled.values_list(
        "site_id", "allowed_origins", "live__pk", "live__digest"
    ):
        known = public.setdefault(site_id, Known(site_id=site_id, origins=origins_in(origins)))
        if key is not None:
            secret[digest] = replace(known, key=key)
    everywhere = frozenset[str]().union(*(known.origins for known in public.values()))
    return Rows(public=public, secret=secret, origins=everywhere)


def _digest(key: str) -> str:
    """Return what is kept of a key. It is random: nobody can guess it, so no salt is needed."""
    return sha256(key.encode()).hexdigest()
