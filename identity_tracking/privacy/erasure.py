"""Delete a person, who may come back, or erase them for ever. Each is told after commit.

Both run in the transaction at hand. After its commit they wait for whoever was storing a message
meanwhile, and take away what came of it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, transaction
from django.dispatch import Signal

from identity_tracking.identifiers import Names
from identity_tracking.identity import deletion
from identity_tracking.identity.deletion import Deleted
from identity_tracking.identity.merge import name_of
from identity_tracking.models import Identifier, Person
from identity_tracking.privacy import mentions, suppression, writers
from identity_tracking.signals import person_deleted, person_erased

ATTEMPTS = 5  # of what may meet a deadlock

logger = logging.getLogger(__name__)


def delete(person: Person, *, by: Any, using: str) -> None:
    """Delete ``person`` and all they did; a later identify makes a new one. Safe to repeat."""
    deleted = deletion.delete(person, using)
    if deleted.cio_ids:
        logger.info("A person was deleted by %s.", name_of(by) or "nobody named")
        _afterwards(person_deleted, person, _take_lost, deleted, using)


def erase(person: Person, *, by: Any, using: str) -> None:
    """Delete ``person`` and whatever mentions them, and refuse them from now on.

    What they alone were called is refused; an email or a browser that others use too stays the
    others'. Raises SuppressionKeyMissing without a key. Safe to repeat.
    """
    suppression.require_key()
    deleted = deletion.delete(person, using)
    if deleted.cio_ids:
        _forget(deleted, using)
        logger.info("A person was erased by %s.", name_of(by) or "nobody named")
        _afterwards(person_erased, person, _take_all, deleted, using)


def suppress(called: Names, *, by: Any, using: str) -> None:
    """Erase whoever is ``called`` so, and refuse that from now on, whoever it may be."""
    suppression.require_key()
    person = Person.objects.using(using).called(called)
    if person is not None:
        erase(person, by=by, using=using)
    suppression.suppress(suppression.keys_of_names(called), using)


def _forget(deleted: Deleted, using: str) -> None:
    keys = {suppression.cio_id_key(one) for one in deleted.cio_ids} | deleted.keys
    suppression.suppress(keys, using)
    mentions.forget(deleted, using)


def _afterwards(
    signal: Signal,
    person: Person,
    take: Callable[[Deleted, str], None],
    deleted: Deleted,
    using: str,
) -> None:
    """After commit take what was stored meanwhile, and tell. What fails is logged."""

    def take_rest() -> None:
        writers.wait(using)
        _in_transaction(lambda: take(deleted, using), using)

    def tell() -> None:
        signal.send_robust(Person, cio_id=person.cio_id)

    transaction.on_commit(take_rest, using=using, robust=True)
    transaction.on_commit(tell, using=using, robust=True)


def _take_lost(deleted: Deleted, using: str) -> None:
    """Take what is under identifiers that are no more; who came back meanwhile stays."""
    back = Identifier.objects.using(using).filter(pk__in=deleted.keys)
    deletion.delete_strays(deleted.keys - set(back.values_list("pk", flat=True)), using)


def _take_all(deleted: Deleted, using: str) -> None:
    late = deletion.delete_strays(deleted.keys, using)
    if late.identifiers:
        _forget(late, using)


def _in_transaction(block: Callable[[], None], using: str, attempts: int = ATTEMPTS) -> None:
    try:
        with transaction.atomic(using=using):
            block()
    except OperationalError:
        if attempts == 1:
            raise
        _in_transaction(block, using, attempts - 1)
