"""What became of messages that were sent to people: opened, clicked, bounced.

``{"type": "delivery", "action": "event", "identifiers": {"id": "RPILAgUB…"}, "name": "opened",
"attributes": {"device_token": "…"}}``, or one of the older shapes, which say the same. It is an
event of whom it names, or of who has its device.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from identity_tracking.api import deeds
from identity_tracking.api.batch import Step
from identity_tracking.api.customerio.decoder import ANYBODY, Reader, identified
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.identifiers import Names, is_email, names
from identity_tracking.payloads import clean_mapping, clean_text

DEVICES = ("device_token", "device_id", "recipient")
WHO = ("customer_id", "identifiers")


def happened(item: Mapping[str, Any], reader: Reader) -> Step:
    """Read one event of a delivery. Who has a device is looked up when it is carried out."""
    identifiers = item.get("identifiers")
    delivery = clean_text(identifiers.get("id") if isinstance(identifiers, Mapping) else None, 150)
    metric = clean_text(item.get("name"), 100)
    if not (delivery and metric):
        raise InvalidMessage("A delivery has an id and a name.", code="name_missing")
    given = clean_mapping(item.get("attributes"))
    called, token = _called(given), _token(given)
    about = {name: value for name, value in given.items() if name not in WHO}
    body = {
        "name": f"delivery {metric}",
        "timestamp": item.get("timestamp"),
        "data": {"delivery_id": delivery, "metric": metric, **about},
    }
    return reader.event(called, body) if called else partial(_keep_of, token, body, reader)


def is_nobodys(item: Any, code: str) -> bool:
    """Say whether an item was a delivery of nobody known, which is no error of its sender's."""
    return code == "no_identifier" and isinstance(item, Mapping) and item.get("type") == "delivery"


def item_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return as an item what the older endpoints say, each in its own words.

    ``{"delivery_id", "metric" or "event", "timestamp", "recipient", "device_id", "reason",
    "href"}``, or that as the "payload" beside a "type".
    """
    inner = body.get("payload")
    said = dict(inner if isinstance(inner, Mapping) else body)
    named = [said.pop(name, None) for name in ("metric", "event")]
    return {
        "type": "delivery",
        "action": "event",
        "identifiers": {"id": said.pop("delivery_id", None)},
        "name": next(filter(None, named), None),
        "timestamp": said.pop("timestamp", None),
        "attributes": said,
    }


def _keep_of(token: str, body: Mapping[str, Any], reader: Reader) -> None:
    deeds.keep([reader.event(deeds.holder(token), body)])


def _called(given: Mapping[str, Any]) -> Names | None:
    """Return whom an event of a delivery names itself; None where only a device may."""
    if given.get("identifiers") is not None:
        return identified(given["identifiers"], ANYBODY)
    said = names(id=given.get("customer_id"))
    if said.head or said.cio_id:
        return said
    recipient = given.get("recipient")
    if isinstance(recipient, str) and is_email(recipient):
        return names(email=recipient)
    return None if _token(given) else names()


def _token(given: Mapping[str, Any]) -> str:
    tokens = (given.get(name) for name in DEVICES)
    return next((token for token in tokens if isinstance(token, str) and token), "")
