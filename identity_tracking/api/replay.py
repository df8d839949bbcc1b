"""Try failed events again: what could not be accepted then may be by now.

Whatever came in by HTTP can be, by the way it came. Of a Python call that was refused, who it
was about is not kept; nor of a message whose cio_id nobody has, which nobody ever will.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, TypeAlias

from django.http import HttpRequest

from identity_tracking.api.batch import carry_out_one
from identity_tracking.api.browser.decoder import decode
from identity_tracking.api.customerio import batches
from identity_tracking.api.customerio.decoder import Reader as TrackReader
from identity_tracking.api.keys import Sender
from identity_tracking.api.segment.decoder import Reader as SegmentReader
from identity_tracking.api.segment.semantics import read_steps
from identity_tracking.conf import conf
from identity_tracking.exceptions import IdentityTrackingError, InvalidMessage, Unavailable
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database, in_transaction
from identity_tracking.messages import Outcome
from identity_tracking.models import Entrance, FailedEvent
from identity_tracking.submissions.submission import read_again
from identity_tracking.submissions.submit import messages_of, submit_again
from identity_tracking.visitor import Visitor

Item: TypeAlias = dict[str, Any]

NAMELESS = "unknown_cio_id"  # the code of what was refused for whom it named


class Replay(StrEnum):
    """What became of a failed event."""

    ACCEPTED = "accepted"
    SUPPRESSED = "deleted: of somebody who was erased"
    REFUSED = "refused again, for the same or another reason"
    IMPOSSIBLE = "not to be replayed: it is not kept whole"
    OFF = "left alone: the setting ENABLED is False"


def replay(event: FailedEvent) -> Replay:
    """Process ``event`` again, as trusted and dated as it was; once accepted it is deleted.

    Both in one transaction: so it is stored once, whoever else tries it too. Raises Unavailable.
    """
    if not conf.ENABLED:
        return Replay.OFF
    way, item = WAYS.get(event.entrance), _item(event)
    if way is None or item is None:
        return Replay.IMPOSSIBLE
    try:
        return in_transaction(lambda: _accept(event, way, item), database())
    except Unavailable:
        raise
    except IdentityTrackingError:
        return Replay.REFUSED


def _accept(event: FailedEvent, way: Way, item: Item) -> Replay:
    """Take the event away, and go its way again; what raises puts it back."""
    if FailedEvent.objects.using(database()).filter(pk=event.pk).delete()[0]:
        outcomes = way(event, item)
        if Outcome.SUPPRESSED in outcomes:
            return Replay.SUPPRESSED
    return Replay.ACCEPTED


def _item(event: FailedEvent) -> Item | None:
    """Return what was sent; None where it was cut, or never was an object."""
    try:
        item = json.loads(event.payload)
    except ValueError:
        return None
    return item if isinstance(item, dict) else None


def _from_script(event: FailedEvent, item: Item) -> Sequence[Outcome]:
    named = {**item, "message_id": item.get("message_id") or _message_id(event)}
    body = {"site_id": event.source, "messages": [named]}
    delivery = decode(body, Visitor(HttpRequest()), event.received_at)
    for error in delivery.errors:
        raise InvalidMessage(error["message"], code=error["code"])
    return process([*delivery.messages, *messages_of(delivery.forms)])


def _from_segment(event: FailedEvent, item: Item) -> Sequence[Outcome]:
    """Go Segment's way; whether a page sent it again is not kept, so its id is not believed."""
    named = {**item, "messageId": item.get("messageId") or _message_id(event)}
    sender = _sender(event)
    reader = SegmentReader(sender=sender, received_at=event.received_at, retried=not sender.trusted)
    return carry_out_one(named, lambda item, at: read_steps(reader, item), reader.received_at)


def _from_track(event: FailedEvent, item: Item) -> Sequence[Outcome]:
    reader = TrackReader(sender=_sender(event), received_at=event.received_at)
    return batches.carry_out_one(item, reader)


def _from_form(event: FailedEvent, item: Item) -> Sequence[Outcome]:
    """Go a form's way, as its fields are mapped by now."""
    submission = read_again(
        item,
        source=event.source,
        trusted=event.trusted,
        received_at=event.received_at,
        message_id=_message_id(event),
    )
    return submit_again(submission)


def _sender(event: FailedEvent) -> Sender:
    return Sender(source=event.source, trusted=event.trusted)


def _message_id(event: FailedEvent) -> str:
    return f"failed-{event.pk}"


Way: TypeAlias = Callable[[FailedEvent, Item], Sequence[Outcome]]

WAYS: Mapping[str, Way] = {
    Entrance.SCRIPT: _from_script,
    Entrance.SEGMENT: _from_segment,
    Entrance.TRACK: _from_track,
    Entrance.FORM: _from_form,
}
