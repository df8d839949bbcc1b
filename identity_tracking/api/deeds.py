"""What the server APIs do beside keeping messages. Whom or what nobody knows is left alone."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from urllib.parse import unquote
from uuid import UUID

from django.db import transaction

from identity_tracking import rights
from identity_tracking.api.keys import Sender
from identity_tracking.api.objects import device_ref
from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidIdentifier, MergeRefused
from identity_tracking.identifiers import Names
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database, reachable
from identity_tracking.messages import (
    Description,
    Message,
    ObjectRef,
    Outcome,
)
from identity_tracking.models import Deed, FailedEvent, ObjectRelationship, Person, TrackedObject
from identity_tracking.shortcuts import merge as merge_people


def keep(
    messages: Sequence[Message],
    failed: Sequence[FailedEvent] = (),
    described: Sequence[Description] = (),
) -> list[Outcome]:
    """Process messages, and keep what could not be read; nothing where the app is off."""
    if not (conf.ENABLED and (messages or failed or described)):
        return []
    return process(messages, failed, described)


def once(asked: Message, deed: Callable[[], object]) -> None:
    """Do what ``asked`` asks for; where that was done before, nothing."""
    using = database()
    with transaction.atomic(using=using):
        if not Deed.objects.using(using).done_before(asked.key, asked.received_at):
            deed()


def delete_once(asked: Message, called: Names, sender: Sender) -> None:
    """Delete whom ``asked`` names; where it is a repeat, nobody who has done something since.

    Who came back by repeated messages alone, older than it, goes again. A call that does not say
    when it was made is of the time when it came first.
    """
    using = database()
    with transaction.atomic(using=using):
        first = Deed.objects.using(using).done_before(asked.key, asked.received_at)
        person = _person(called)
        if person and not (first and _did_something_since(person, min(asked.timestamp, first))):
            rights.delete(person, by=_by(sender))


def update(message: Message) -> None:
    """Keep what a message says of somebody, if they are known."""
    if _person(message.names):
        keep([message])


def delete(called: Names, sender: Sender) -> None:
    """Delete whom a call names; a later identify makes a new person."""
    if person := _person(called):
        rights.delete(person, by=_by(sender))


def merge(primary: Names, secondary: Names, sender: Sender) -> None:
    """Make ``secondary`` and ``primary`` one person. Safe to repeat: who is one stays one."""
    one, other = _person(primary), _person(secondary)
    if one and other and one != other:
        with contextlib.suppress(MergeRefused):  # one was deleted meanwhile
            merge_people(one, other, by=_by(sender))


def suppress(called: Names, sender: Sender) -> None:
    """Erase whoever is ``called`` so, and refuse them from now on."""
    rights.suppress(called, by=_by(sender))


def unsuppress(called: Names) -> None:
    rights.unsuppress(called)


def known(people: Collection[Names]) -> list[Names]:
    """Return those of ``people`` whom somebody is called, by one look-up for all."""
    using = database()
    with reachable(using):
        found = Person.objects.using(using).known(people)
    return [called for called in people if called in found]


def holder(token: str) -> Names:
    """Return who holds a device. Raises InvalidIdentifier where nobody does."""
    using = database()
    held = ObjectRelationship.objects.using(using).filter(object=device_ref(token).key)
    with reachable(using):
        latest = held.select_related("identifier").order_by("-pk").first()
    if latest is None:
        raise InvalidIdentifier("Nobody has this device.", code="no_identifier")
    return Names.of(latest.identifier.ref)


def held_device(called: Names, token: str) -> ObjectRef:
    """Return the device of somebody that ``token`` names: some clients encode it twice."""
    person = _person(called)
    spellings = [device_ref(one) for one in (token, unquote(token))]
    held = ObjectRelationship.objects.using(database()).filter(
        identifier=person.pk if person else None, object__in=[one.key for one in spellings]
    )
    theirs = set(held.values_list("object", flat=True))
    return next((one for one in spellings if one.key in theirs), spellings[0])


def objects_by_key(keys: Sequence[UUID]) -> dict[UUID, ObjectRef]:
    """Return the objects that have ``keys``."""
    using = database()
    if not keys:
        return {}
    with reachable(using):
        found = TrackedObject.objects.using(using).in_bulk(keys)
    return {key: ObjectRef(one.object_type, one.object_id) for key, one in found.items()}


def _person(called: Names) -> Person | None:
    using = database()
    with reachable(using):
        return Person.objects.using(using).called(called)


def _did_something_since(person: Person, at: datetime) -> bool:
    newest = person.activities.first()
    return newest is not None and newest.timestamp > at


def _by(sender: Sender) -> str:
    return f"source {sender.source}"
