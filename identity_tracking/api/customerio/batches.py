"""The items of version 2: each says what of whom, and one bad item never spoils the others.

``{"type": "person", "action": "identify", "identifiers": {"id": "42"}, "attributes": {…}}``
https://docs.customer.io/integrations/api/track/#tag/trackv2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

from identity_tracking.api.customerio import deeds
from identity_tracking.api.customerio.decoder import (
    ANYBODY,
    Reader,
    device_ref,
    identified,
    object_relations,
    only_updates,
)
from identity_tracking.exceptions import IdentityTrackingError, InvalidMessage, Unavailable
from identity_tracking.identifiers import Names
from identity_tracking.ingest.transaction import database, in_transaction
from identity_tracking.messages import RELATIONSHIPS, Message, Outcome, Relation
from identity_tracking.models import Entrance, FailedEvent
from identity_tracking.payloads import MAX_MESSAGE, Json, printable
from identity_tracking.rights import suppress, unsuppress

Item: TypeAlias = Mapping[str, Any]


def carry_out(items: Sequence[Any], reader: Reader) -> list[dict[str, Json]]:
    """Carry out ``items`` in their order; return the errors of those that are invalid.

    Each error is ``{"batch_index", "reason", "field", "message"}``; its item is kept as a failed
    event. All of it is one transaction. Raises Unavailable: then nothing was done.
    """
    return in_transaction(lambda: _carry_out(items, reader), database())


def carry_out_one(item: Any, reader: Reader) -> list[Outcome]:
    """Carry out one item, in the caller's transaction. Raises IdentityTrackingError.

    Returns what became of the message that it is; nothing where it is a deed.
    """
    batch = _Batch(reader)
    batch.add(_object(item))
    return batch.flush()


def _carry_out(items: Sequence[Any], reader: Reader) -> list[dict[str, Json]]:
    batch = _Batch(reader)
    for index, item in enumerate(items):
        try:
            batch.add(_object(item))
        except Unavailable:
            raise
        except IdentityTrackingError as error:
            batch.refuse(index, item, error)
    batch.flush()
    return batch.errors


class _Batch:
    """Messages that wait to be stored together, and what was refused."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.waiting: list[Message] = []
        self.failed: list[FailedEvent] = []
        self.errors: list[dict[str, Json]] = []

    def add(self, item: Item) -> None:
        kind, action = item.get("type"), str(item.get("action"))
        if kind != "person" or action not in {*MESSAGES, *DEEDS}:
            raise InvalidMessage("Nothing of this type has this action.", code="unknown_action")
        if action in DEEDS:
            self.flush()
            DEEDS[action](item, self.reader)
        elif message := MESSAGES[action](item, self.reader):
            self.waiting.append(message)

    def refuse(self, index: int, item: Any, error: IdentityTrackingError) -> None:
        told = {"reason": error.code, "field": FIELDS.get(error.code, ""), "message": str(error)}
        self.errors.append({"batch_index": index, **told})
        reader = self.reader
        sender, at = reader.sender, reader.received_at
        self.failed.append(sender.refused(item, error.code, at, Entrance.TRACK))

    def flush(self) -> list[Outcome]:
        outcomes = deeds.keep(self.waiting, self.failed)
        self.waiting, self.failed = [], []
        return outcomes


def _identify(item: Item, reader: Reader) -> Message | None:
    called = _called(item)
    given = item.get("attributes")
    if only_updates(given) and not deeds.is_known(called):
        return None
    if RELATIONSHIPS in item and isinstance(given, Mapping | None):
        given = {**(given or {}), RELATIONSHIPS: item[RELATIONSHIPS]}
    return reader.identify(called, given)


def _event(item: Item, reader: Reader, kind: str = "event") -> Message:
    return reader.event(identified(item.get("identifiers"), ANYBODY), {**item, "type": kind})


def _related(item: Item, reader: Reader, *, present: bool) -> Message:
    changes = object_relations(item.get("cio_relationships"), present=present)
    return reader.related(_called(item), changes)


def _device(item: Item, reader: Reader) -> Message:
    return reader.device(_called(item), item.get("device"))


def _no_device(item: Item, reader: Reader) -> Message:
    device = item.get("device")
    token = device.get("token", device.get("id")) if isinstance(device, Mapping) else None
    gone = Relation(object=device_ref(token), present=False)
    return reader.related(_called(item), (gone,))


def _delete(item: Item, reader: Reader) -> None:
    deeds.delete(_called(item), reader)


def _merge(item: Item, reader: Reader) -> None:
    deeds.merge(identified(item.get("primary")), identified(item.get("secondary")), reader)


def _suppress(item: Item, reader: Reader) -> None:
    suppress(_called(item), by=f"source {reader.sender.source}")


def _unsuppress(item: Item, reader: Reader) -> None:
    unsuppress(_called(item))


def _called(item: Item) -> Names:
    return identified(item.get("identifiers"))


def _object(item: Any) -> Item:
    if not isinstance(item, Mapping):
        raise InvalidMessage("An item is an object.", code="invalid_item")
    if len(printable(item)) >= MAX_MESSAGE:
        raise InvalidMessage(f"An item has at most {MAX_MESSAGE} bytes.", code="too_large")
    return item


MESSAGES: Mapping[str, Callable[[Item, Reader], Message | None]] = {
    "identify": _identify,
    "event": _event,
    "page": partial(_event, kind="page"),
    "screen": partial(_event, kind="screen"),
    "add_relationships": partial(_related, present=True),
    "delete_relationships": partial(_related, present=False),
    "add_device": _device,
    "delete_device": _no_device,
}
DEEDS: Mapping[str, Callable[[Item, Reader], None]] = {
    "delete": _delete,
    "merge": _merge,
    "suppress": _suppress,
    "unsuppress": _unsuppress,
}
FIELDS: Mapping[str, str] = {
    "no_identifier": "identifiers",
    "invalid_identifiers": "identifiers",
    "name_missing": "name",
    "invalid_timestamp": "timestamp",
    "unknown_action": "action",
    "invalid_object": "cio_relationships",
    "invalid_relationships": "cio_relationships",
    "invalid_device": "device",
}
