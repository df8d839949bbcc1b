"""Track calls that Customer.io's Pipelines API takes for deeds. Only a trusted sender's are any.

https://docs.customer.io/integrations/api/cdp/#tag/Semantic-Events
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from identity_tracking.api import deeds
from identity_tracking.api.batch import Step
from identity_tracking.api.keys import Sender
from identity_tracking.api.objects import GROUP_TYPE, KINDS, device
from identity_tracking.api.segment.decoder import Reader
from identity_tracking.exceptions import InvalidIdentifier, InvalidMessage
from identity_tracking.identifiers import Names
from identity_tracking.messages import (
    Description,
    Message,
    ObjectRef,
    Relation,
    Type,
    object_ref,
)

Call = Mapping[str, Any]


def read_steps(reader: Reader, item: Any, kind: Any = None) -> Sequence[Step]:
    """Read one call, and return what to do about it: nearly always to keep it as a message."""
    message = reader.read(item, kind)
    if message is None:
        return []
    meaning = MEANINGS.get(message.name) if message.type is Type.TRACK else None
    sender = reader.sender
    return [meaning(item, message, sender) if meaning and sender.trusted else message]


def _delete(item: Call, message: Message, sender: Sender) -> Step:
    return partial(deeds.delete_once, message, _person(message), sender)


def _suppress(item: Call, message: Message, sender: Sender) -> Step:
    return partial(deeds.once, message, partial(deeds.suppress, _person(message), sender))


def _unsuppress(item: Call, message: Message, sender: Sender) -> Step:
    return partial(deeds.once, message, partial(deeds.unsuppress, _person(message)))


def _unrelate(item: Call, message: Message, sender: Sender) -> Step:
    return _related(message, Relation(object=_object(item, message), present=False))


def _delete_object(item: Call, message: Message, sender: Sender) -> Step:
    gone = Description(
        object=_object(item, message),
        order=message.order,
        received_at=message.received_at,
        present=False,
    )
    return partial(deeds.once, message, partial(deeds.keep, (), described=[gone]))


def _device(item: Call, message: Message, sender: Sender) -> Step:
    return _related(message, device(_device_of(item, message)))


def _no_device(item: Call, message: Message, sender: Sender) -> Step:
    held = device(_device_of(item, message))
    return _related(message, Relation(object=held.object, present=False))


def _related(message: Message, change: Relation) -> Message:
    return replace(message, type=Type.RELATE, name="", properties={}, relations=(change,))


def _person(message: Message) -> Names:
    """Return whom a call names, but for the browser: that names nobody to do anything to."""
    called = replace(message.names, anonymous_id=None)
    if not (called.head or called.cio_id):
        raise InvalidIdentifier("Give a userId.", code="no_identifier")
    return called


def _object(item: Call, message: Message) -> ObjectRef:
    """Return the object that the properties name, or beside them "groupId"."""
    said = message.properties
    kind = next((said[name] for name in KINDS if said.get(name)), GROUP_TYPE)
    around = item.get("context")
    group = around.get("groupId") if isinstance(around, Mapping) else None
    return object_ref(kind, said.get("objectId") or item.get("groupId") or group)


def _device_of(item: Call, message: Message) -> Mapping[str, Any]:
    """Return the device that stands in the context, or among the properties."""
    around = item.get("context")
    held = around.get("device") if isinstance(around, Mapping) else None
    given = held or message.properties.get("device")
    if not isinstance(given, Mapping):
        raise InvalidMessage("A device is an object.", code="invalid_device")
    named = {**given, "platform": given.get("platform") or given.get("type")}
    token = named.pop("token", None)
    about = {name: value for name, value in named.items() if name not in {"id", "type"} and value}
    return {"token": token, "attributes": about}


MEANINGS: Mapping[str, Callable[[Call, Message, Sender], Step]] = {
    "User Deleted": _delete,
    "User Suppressed": _suppress,
    "User Unsuppressed": _unsuppress,
    "Relationship Deleted": _unrelate,
    "Object Deleted": _delete_object,
    "Device Created or Updated": _device,
    "Device Deleted": _no_device,
}
