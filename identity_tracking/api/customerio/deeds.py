"""What the Track API does to people beside keeping messages. Whom nobody knows is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from identity_tracking.api.customerio.decoder import Reader, device_ref, members
from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.identifiers import Names, names
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database, reachable
from identity_tracking.messages import Message, ObjectRef, Outcome, Relation
from identity_tracking.models import FailedEvent, ObjectRelationship, Person
from identity_tracking.rights import delete as delete_person
from identity_tracking.shortcuts import merge as merge_people

MOST_MEMBERS = 1_000  # https://docs.customer.io/integrations/api/track/#operation/add_customers


def keep(messages: Sequence[Message], failed: Sequence[FailedEvent] = ()) -> list[Outcome]:
    """Process messages, and keep what could not be read; nothing where the app is off."""
    return process(messages, failed) if conf.ENABLED and (messages or failed) else []


def is_known(called: Names) -> bool:
    return _person(called) is not None


def delete(called: Names, reader: Reader) -> None:
    """Delete whom a call names; a later identify makes a new person."""
    if person := _person(called):
        delete_person(person, by=_by(reader))


def merge(primary: Names, secondary: Names, reader: Reader) -> None:
    """Make ``secondary`` and ``primary`` one person. Safe to repeat: who is one stays one."""
    one, other = _person(primary), _person(secondary)
    if one and other and one != other:
        merge_people(one, other, by=_by(reader))


def forget_device(called: Names, token: str, reader: Reader) -> None:
    """End somebody's relationship to a device, whose token the path holds."""
    keep([reader.related(called, (Relation(object=_device(called, token), present=False),))])


def change_members(segment: str, body: Any, id_type: str, reader: Reader, *, present: bool) -> None:
    """Put people into a manual segment, or take them out."""
    given = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(given, list) or not 1 <= len(given) <= MOST_MEMBERS:
        raise InvalidMessage(f'Give "ids", 1 to {MOST_MEMBERS} of them.', code="invalid_ids")
    if id_type not in {"id", "email", "cio_id"}:
        raise InvalidMessage("id_type is id, email or cio_id.", code="invalid_id_type")
    known = [called for one in given if is_known(called := names(**{id_type: one}))]
    change = members(segment, present=present)
    keep([reader.related(called, change) for called in known])


def _device(called: Names, token: str) -> ObjectRef:
    """Return the device that ``token`` names: some clients encode it twice."""
    person = _person(called)
    spellings = [device_ref(one) for one in _decodings(token)]
    held = ObjectRelationship.objects.using(database()).filter(
        identifier=person.pk if person else None, object__in=[one.key for one in spellings]
    )
    theirs = set(held.values_list("object", flat=True))
    return next((one for one in spellings if one.key in theirs), spellings[0])


def _decodings(token: str) -> Sequence[str]:
    return [token, unquote(token)]


def _person(called: Names) -> Person | None:
    using = database()
    with reachable(using):
        return Person.objects.using(using).called(called)


def _by(reader: Reader) -> str:
    return f"source {reader.sender.source}"
