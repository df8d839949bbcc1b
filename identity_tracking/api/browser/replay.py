"""Try failed events again: what could not be accepted then may be by now.

Only what the script sent can be: of a Python call that was refused, who it was about is not
kept; nor of a message whose cio_id nobody has, which nobody ever will.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from django.http import HttpRequest

from identity_tracking.api.browser.decoder import decode
from identity_tracking.conf import conf
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database, in_transaction
from identity_tracking.messages import Message, Outcome
from identity_tracking.models import FailedEvent
from identity_tracking.visitor import Visitor

NAMELESS = "unknown_cio_id"  # the code of what was refused for whom it named


class Replay(StrEnum):
    """What became of a failed event."""

    ACCEPTED = "accepted"
    SUPPRESSED = "deleted: of somebody who was erased"
    REFUSED = "refused again, for the same or another reason"
    IMPOSSIBLE = "not to be replayed: it is not kept whole"


def replay(event: FailedEvent) -> Replay:
    """Process ``event`` again, as untrusted and dated as it was; once accepted it is deleted.

    Both in one transaction: so it is stored once. Raises Unavailable.
    """
    item = _item(event)
    if item is None:
        return Replay.IMPOSSIBLE
    body = {"site_id": conf.SITE_ID, "messages": [item]}
    delivery = decode(body, Visitor(HttpRequest()), event.received_at)
    if delivery.errors:
        return Replay.REFUSED
    return in_transaction(lambda: _accept(delivery.messages, event), database())


def _item(event: FailedEvent) -> dict[str, Any] | None:
    """Return what was sent, with a message id: where it had none, the event's own."""
    if event.trusted or event.code == NAMELESS or event.source != conf.SITE_ID:
        return None
    try:
        item = json.loads(event.payload)
    except ValueError:  # it was cut
        return None
    if not isinstance(item, dict):
        return None
    return {**item, "message_id": item.get("message_id") or f"failed-{event.pk}"}


def _accept(messages: list[Message], event: FailedEvent) -> Replay:
    outcomes = process(messages)
    FailedEvent.objects.using(database()).filter(pk=event.pk).delete()
    return Replay.SUPPRESSED if Outcome.SUPPRESSED in outcomes else Replay.ACCEPTED
