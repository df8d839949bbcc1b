"""What the server APIs take for objects: devices, segments, groups. Knows no request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity_tracking.exceptions import InvalidMessage
from identity_tracking.messages import ObjectRef, Relation, object_ref
from identity_tracking.payloads import clean_mapping

DEVICE = "device"  # the type of object that a device is
SEGMENT = "segment"
GROUP_TYPE = "1"  # the type of object that a group is, where it names none: Customer.io's
KINDS = ("objectTypeId", "object_type_id")  # as Segment's calls spell it


def device_ref(token: Any) -> ObjectRef:
    return object_ref(DEVICE, token)


def device(body: Any) -> Relation:
    """Return somebody's relationship to a device, with all that is known of it.

    ``{"token": "…", "platform": "ios", "attributes": {…}}``; the token may be called an id, too.
    """
    if not isinstance(body, Mapping):
        raise InvalidMessage("A device is an object.", code="invalid_device")
    given = clean_mapping(body)
    token = device_ref(given.pop("id", None) or given.pop("token", None))
    about = {**clean_mapping(given.pop("attributes", None)), **given}
    return Relation(object=token, attributes=about)


def members(segment: str, *, present: bool) -> tuple[Relation, ...]:
    """Return that somebody is in a manual segment, or no longer."""
    return (Relation(object=object_ref(SEGMENT, segment), present=present),)
