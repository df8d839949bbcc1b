"""The items of version 2: each says what of whom, and one bad item never spoils the others.

``{"type": "person", "action": "identify", "identifiers": {"id": "42"}, "attributes": {…}}``
https://docs.customer.io/integrations/api/track/#tag/trackv2
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, TypeAlias

from identity_tracking.api import batch, deeds
from identity_tracking.api.batch import Refusal, Step
from identity_tracking.api.customerio import deliveries, objects
from identity_tracking.api.customerio.decoder import (
    ANYBODY,
    Reader,
    identified,
    object_relations,
    only_updates,
)
from identity_tracking.api.objects import device_ref
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.identifiers import Names
from identity_tracking.messages import RELATIONSHIPS, Outcome, Relation
from identity_tracking.models import Entrance, FailedEvent
from identity_tracking.payloads import MAX_MESSAGE, Json, size

Item: TypeAlias = Mapping[str, Any]


def carry_out(items: Sequence[Any], reader: Reader) -> list[dict[str, Json]]:
    """Carry out ``items`` in their order; return the errors of those that are invalid.

    Each error is ``{"batch_index", "reason", "field", "message"}``; its item is kept as a failed
    event. All of it is one transaction. Raises Unavailable: then nothing was done.
    """
    reader = objects.acquainted(reader, items)
    refuse = partial(_refused, reader)
    refusals = batch.carry_out(items, partial(_read, reader), refuse, reader.received_at)
    return [_told(one) for one in refusals if not deliveries.is_nobodys(items[one.index], one.code)]


def carry_out_one(item: Any, reader: Reader) -> list[Outcome]:
    """Carry out one item, in the caller's transaction. Raises IdentityTrackingError.

    Returns what became of the messages that it is; nothing where it is a deed.
    """
    reader = objects.acquainted(reader, [item])
    return batch.carry_out_one(item, partial(_read, reader), reader.received_at)


def _read(reader: Reader, item: Any, at: datetime) -> Sequence[Step]:
    if not isinstance(item, Mapping):
        raise InvalidMessage("An item is an object.", code="invalid_item")
    if size(item) >= MAX_MESSAGE:
        raise InvalidMessage(f"An item has at most {MAX_MESSAGE} bytes.", code="too_large")
    read = ACTIONS.get((str(item.get("type")), str(item.get("action"))))
    if read is None:
        raise InvalidMessage("Nothing of this type has this action.", code="unknown_action")
    steps = read(item, replace(reader, received_at=at))
    return steps if isinstance(steps, Sequence) else [steps]


def _refused(reader: Reader, item: Any, code: str, at: datetime) -> FailedEvent:
    return reader.sender.refused(item, code, at, Entrance.TRACK)


def _told(refusal: Refusal) -> dict[str, Json]:
    code = refusal.code
    told = {"reason": code, "field": FIELDS.get(code, ""), "message": refusal.message}
    return {"batch_index": refusal.index, **told}


def _identify(item: Item, reader: Reader) -> Step:
    given = item.get("attributes")
    updates = only_updates(given)
    if RELATIONSHIPS in item and isinstance(given, Mapping | None):
        given = {**(given or {}), RELATIONSHIPS: item[RELATIONSHIPS]}
    message = reader.identify(_called(item), given)
    return partial(deeds.update, message) if updates else message


def _event(item: Item, reader: Reader, kind: str = "event") -> Step:
    return reader.event(identified(item.get("identifiers"), ANYBODY), {**item, "type": kind})


def _related(item: Item, reader: Reader, *, present: bool) -> Step:
    changes = object_relations(item.get("cio_relationships"), present=present)
    return reader.related(_called(item), changes)


def _device(item: Item, reader: Reader) -> Step:
    return reader.device(_called(item), item.get("device"))


def _no_device(item: Item, reader: Reader) -> Step:
    device = item.get("device")
    token = device.get("token", device.get("id")) if isinstance(device, Mapping) else None
    gone = Relation(object=device_ref(token), present=False)
    return reader.related(_called(item), (gone,))


def _delete(item: Item, reader: Reader) -> Step:
    return partial(deeds.delete, _called(item), reader.sender)


def _merge(item: Item, reader: Reader) -> Step:
    primary, secondary = identified(item.get("primary")), identified(item.get("secondary"))
    return partial(deeds.merge, primary, secondary, reader.sender)


def _suppress(item: Item, reader: Reader) -> Step:
    return partial(deeds.suppress, _called(item), reader.sender)


def _unsuppress(item: Item, reader: Reader) -> Step:
    return partial(deeds.unsuppress, _called(item))


def _called(item: Item) -> Names:
    return identified(item.get("identifiers"))


ACTIONS: Mapping[tuple[str, str], Callable[[Item, Reader], Step | Sequence[Step]]] = {
    ("person", "identify"): _identify,
    ("person", "event"): _event,
    ("person", "page"): partial(_event, kind="page"),
    ("person", "screen"): partial(_event, kind="screen"),
    ("person", "add_relationships"): partial(_related, present=True),
    ("person", "delete_relationships"): partial(_related, present=False),
    ("person", "add_device"): _device,
    ("person", "delete_device"): _no_device,
    ("person", "delete"): _delete,
    ("person", "merge"): _merge,
    ("person", "suppress"): _suppress,
    ("person", "unsuppress"): _unsuppress,
    ("object", "identify"): objects.described,
    ("object", "identify_anonymous"): objects.described,
    ("object", "add_relationships"): partial(objects.related, present=True),
    ("object", "delete_relationships"): partial(objects.related, present=False),
    ("object", "delete"): objects.deleted,
    ("delivery", "event"): deliveries.happened,
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
    "unknown_object": "identifiers",
    "too_many_attributes": "attributes",
}
