"""The items of one request, in their order: messages wait to be stored together, and deeds flush.

What cannot be accepted is kept as a failed event, and never spoils the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from identity_tracking.api import deeds
from identity_tracking.exceptions import IdentityTrackingError, InvalidMessage, Unavailable
from identity_tracking.ingest.process import TOO_MANY
from identity_tracking.ingest.transaction import database, in_transaction
from identity_tracking.messages import Description, Message, Outcome, instants
from identity_tracking.models import FailedEvent

Deed: TypeAlias = Callable[[], None]
Step: TypeAlias = Message | Description | Deed
Read: TypeAlias = Callable[[Any, datetime], Sequence[Step]]  # an item, and when it came
Refuse: TypeAlias = Callable[[Any, str, datetime], FailedEvent]


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """Why an item could not be accepted."""

    index: int
    code: str
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """An item as it was read: what it comes to, or why it comes to nothing."""

    index: int
    item: Any
    at: datetime
    steps: Sequence[Step] = ()
    error: IdentityTrackingError | None = None


def carry_out(
    items: Sequence[Any], read: Read, refuse: Refuse, received_at: datetime
) -> list[Refusal]:
    """Carry out ``items`` in their order; return those that could not be accepted.

    All of it is one transaction. Raises Unavailable: then nothing was done.
    """
    moments = instants(received_at, len(items))
    parts = [
        _part(index, item, at, read)
        for index, (item, at) in enumerate(zip(items, moments, strict=True))
    ]
    if any(callable(step) for part in parts for step in part.steps):
        return in_transaction(lambda: _Run(refuse).all_of(parts), database())
    return _Run(refuse).all_of(parts)


def carry_out_one(item: Any, read: Read, received_at: datetime) -> list[Outcome]:
    """Carry out one item, in the caller's transaction. Raises IdentityTrackingError.

    Returns what became of the messages that it is; nothing where it is a deed.
    """
    run = _Run()
    run.take(Part(index=0, item=item, at=received_at, steps=read(item, received_at)))
    outcomes = run.flush()
    for refusal in run.refusals:
        raise InvalidMessage(refusal.message, code=refusal.code)
    return outcomes


def _part(index: int, item: Any, at: datetime, read: Read) -> Part:
    try:
        steps = read(item, at)
    except InvalidMessage as error:
        return Part(index=index, item=item, at=at, error=error)
    return Part(index=index, item=item, at=at, steps=steps)


class _Run:
    """One try at carrying out parts. ``refuse``: makes a failed event of what is refused."""

    def __init__(self, refuse: Refuse | None = None) -> None:
        self.refuse = refuse
        self.messages: list[Message] = []
        self.described: list[tuple[Part, Description]] = []
        self.failed: list[FailedEvent] = []
        self.refusals: list[Refusal] = []

    def all_of(self, parts: Sequence[Part]) -> list[Refusal]:
        for part in parts:
            try:
                self.take(part)
            except Unavailable:
                raise
            except IdentityTrackingError as error:
                self.refused(part, error)
        self.flush()
        return sorted(self.refusals, key=lambda refusal: refusal.index)

    def take(self, part: Part) -> None:
        if part.error:
            raise part.error
        for step in part.steps:
            if isinstance(step, Message):
                self.messages.append(step)
            elif isinstance(step, Description):
                self.described.append((part, step))
            else:
                self.flush()
                step()

    def refused(self, part: Part, error: IdentityTrackingError) -> None:
        self.refusals.append(Refusal(index=part.index, code=error.code, message=str(error)))
        if self.refuse:
            self.failed.append(self.refuse(part.item, error.code, part.at))

    def flush(self) -> list[Outcome]:
        """Store what waits; return what became of the messages."""
        described = [said for _, said in self.described]
        outcomes = deeds.keep(self.messages, self.failed, described)
        count = len(self.messages)
        for (part, _), outcome in zip(self.described, outcomes[count:], strict=False):
            if outcome is Outcome.REFUSED:  # kept as a failed event by now
                told = "The object has no room for more attributes."
                self.refusals.append(Refusal(index=part.index, code=TOO_MANY, message=told))
        self.messages, self.described, self.failed = [], [], []
        return outcomes[:count]
