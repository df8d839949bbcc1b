"""Put the anchor identifier in the place of a cio_id: it never changes, so no lock is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from identity_tracking.identifiers import Kind, Names, Ref
from identity_tracking.messages import Message
from identity_tracking.models import Person


def address(messages: Sequence[Message], using: str) -> list[Message]:
    """Return ``messages`` with every cio_id replaced by the identifier it belongs to.

    A cio_id that nobody has is refused; a message that then names nobody has no head left.
    """
    anchors = _anchors({m.names.cio_id for m in messages if m.names.cio_id}, using)
    return [
        replace(message, names=_anchored(message.names, anchors))
        if message.names.cio_id
        else message
        for message in messages
    ]


def _anchors(cio_ids: Iterable[str], using: str) -> dict[str, Ref]:
    wanted = set(cio_ids)
    if not wanted:
        return {}
    people = Person.objects.using(using).filter(cio_id__in=wanted).select_related("anchor")
    return {person.cio_id: person.anchor.ref for person in people}


def _anchored(called: Names, anchors: Mapping[str, Ref]) -> Names:
    """Return the names with the anchor among them; what it replaces they are called also."""
    anchor = anchors.get(called.cio_id or "")
    if anchor is None:
        return replace(called, cio_id=None, refused=(*called.refused, "cio_id"))
    is_id = anchor.kind is Kind.ID
    said = called.id if is_id else called.email
    return replace(
        called,
        cio_id=None,
        id=anchor if is_id else called.id,
        email=called.email if is_id else anchor,
        also=(*called.also, said) if said else called.also,
    )
