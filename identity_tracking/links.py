"""Personal links: a URL that says who opens it. Its cio_id is 128 random bits, no proof."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from identity_tracking.conf import conf
from identity_tracking.identifiers import Names, names
from identity_tracking.messages import Message, Type, clean_message_id
from identity_tracking.models import Person
from identity_tracking.payloads import Json
from identity_tracking.visitor import Visitor


def personal(url: str, person: Person) -> str:
    """Return ``url`` with the parameter that identifies whoever opens it as ``person``.

    The rest of it stays byte for byte: it may be signed.
    """
    address, mark, fragment = str(url).partition("#")
    path, _, query = address.partition("?")
    parameters = [one for one in query.split("&") if one]
    kept = [one for one in parameters if one.partition("=")[0] != conf.LINK_PARAMETER]
    query = "&".join([*kept, f"{conf.LINK_PARAMETER}={person.cio_id}"])
    return f"{path}?{query}{mark}{fragment}"


def opened(
    visitor: Visitor,
    cio_id: Any,
    *,
    said: Names,
    context: Mapping[str, Json],
    message_id: Any = None,
) -> Message | None:
    """Return the message that a link opened by ``visitor`` makes, or None for a forged one.

    It identifies a browser that is anonymous or already that person's: then the visitor
    becomes that person, unless the page has meanwhile said who it is. On anybody else's it is
    only kept that the link was opened: the message claims nothing, and refuses the cio_id.
    ``said``: whom the browser said it was then.
    """
    person = _addressee(cio_id)
    if person is None:
        return None
    current, _ = visitor.who(said)
    meant = person.root or person
    theirs = _current_person(current)
    if theirs == meant or (theirs is None and _is_anonymous(current)):
        if theirs is None and _is_anonymous(names(id=visitor.claimed_id)):
            visitor.become(f"cio_{person.cio_id}")
        called = Names.of(person.anchor.ref, anonymous_id=current.anonymous_id)
    elif current.head:
        called = Names.of(current.head, refused=("link",))
    else:
        called = current
    now = datetime.now(UTC)
    return Message(
        type=Type.LINK,
        names=called,
        source=conf.SITE_ID,
        message_id=clean_message_id(message_id),
        timestamp=now,
        received_at=now,
        context=context,
        properties={"cio_id": person.cio_id},
    )


def _addressee(cio_id: Any) -> Person | None:
    known = names(cio_id=cio_id).cio_id
    return Person.objects.select_related("anchor").by_cio_id(known) if known else None


def _is_anonymous(current: Names) -> bool:
    return not (current.id or current.email or current.cio_id)


def _current_person(current: Names) -> Person | None:
    """Return whose browser it is: by what it says, else by whom its anonymous id belongs to."""
    if current.cio_id:
        return Person.objects.find(cio_id=current.cio_id)
    return Person.objects.owner(current.head) if current.head else None
