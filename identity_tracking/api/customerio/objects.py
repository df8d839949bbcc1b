"""Items of version 2 about an object: what it is, and who relates to it.

``{"type": "object", "action": "identify", "identifiers": {"object_type_id": "1", "object_id":
"acme"}, "attributes": {…}, "cio_relationships": [{"identifiers": {"id": "42"},
"relationship_attributes": {"role": "admin"}}]}``; instead of the two an object may be named by its
``cio_object_id``, which is its key: the admin shows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from identity_tracking.api import deeds
from identity_tracking.api.batch import Step
from identity_tracking.api.customerio.decoder import ANYBODY, Reader, attributes, identified
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.messages import (
    RELATIONSHIPS,
    Description,
    Message,
    ObjectRef,
    Relation,
    listed,
    object_ref,
)

NAMED = {"object_type_id", "object_id"}


def acquainted(reader: Reader, items: Sequence[Any]) -> Reader:
    """Return a reader that knows the objects whose key ``items`` name: one look-up for all."""
    keys = [key for item in items if (key := _key(item))]
    return replace(reader, objects=deeds.objects_by_key(keys)) if keys else reader


def described(item: Mapping[str, Any], reader: Reader) -> Sequence[Step]:
    """Read what an object is, and who relates to it, if anybody."""
    of = _ref(item, reader)
    about = attributes(item.get("attributes"))
    said = reader.description(of, item.get("timestamp"), said=about)
    return [said, *_relations(item, of, reader, present=True)]


def related(item: Mapping[str, Any], reader: Reader, *, present: bool) -> Sequence[Step]:
    """Read who relates to an object from now on, or no longer does."""
    messages = _relations(item, _ref(item, reader), reader, present=present)
    if not messages:
        raise InvalidMessage("No relationship is named.", code="invalid_relationships")
    return messages


def deleted(item: Mapping[str, Any], reader: Reader) -> Description:
    """Read that an object is no more, and nobody's, until something later is said of it."""
    return reader.description(_ref(item, reader), item.get("timestamp"), present=False)


def _relations(
    item: Mapping[str, Any], of: ObjectRef, reader: Reader, *, present: bool
) -> list[Message]:
    messages = []
    for one in listed(item.get(RELATIONSHIPS), "identifiers"):
        about = attributes(one.get("relationship_attributes")) if present else {}
        called = identified(one.get("identifiers"), ANYBODY)
        messages.append(
            reader.related(called, (Relation(object=of, present=present, attributes=about),))
        )
    return messages


def _ref(item: Mapping[str, Any], reader: Reader) -> ObjectRef:
    identifiers = item.get("identifiers")
    if isinstance(identifiers, Mapping) and identifiers.keys() == NAMED:
        return object_ref(identifiers["object_type_id"], identifiers["object_id"])
    if isinstance(identifiers, Mapping) and identifiers.keys() == {"cio_object_id"}:
        key = _key(item)
        if key is None or key not in reader.objects:
            raise InvalidMessage("No object has this cio_object_id.", code="unknown_object")
        return reader.objects[key]
    raise InvalidMessage("Give an object_type_id and an object_id.", code="invalid_object")


def _key(item: Any) -> UUID | None:
    """Return the key of the object that an item names by it."""
    identifiers = item.get("identifiers") if isinstance(item, Mapping) else None
    named = identifiers.get("cio_object_id") if isinstance(identifiers, Mapping) else None
    try:
        return UUID(hex=named)
    except (TypeError, ValueError, AttributeError):
        return None
