"""What Segment's calls mean, as messages. Knows no request and no database.

https://segment.com/docs/connections/spec/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from identity_tracking.api.keys import Sender
from identity_tracking.api.objects import GROUP_TYPE, KINDS
from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidIdentifier, InvalidMessage
from identity_tracking.identifiers import Names, names
from identity_tracking.ingest.context import cut_address, page_context, placed
from identity_tracking.messages import (
    RELATIONSHIPS,
    Message,
    Relation,
    Type,
    clean_message_id,
    moment,
    object_ref,
    relations,
    stamp,
)
from identity_tracking.models import Entrance, FailedEvent
from identity_tracking.payloads import MAX_NAME, Json, clean_mapping, clean_text

TYPES: Mapping[str, Type] = {
    "identify": Type.IDENTIFY,
    "track": Type.TRACK,
    "page": Type.PAGE,
    "screen": Type.PAGE,
    "group": Type.GROUP,
    "alias": Type.ALIAS,
}
SPELLINGS = {"createdAt": "created_at", "firstName": "first_name", "lastName": "last_name"}
FRESH = timedelta(minutes=1)  # a clock that is wrong by less is right
SCRIPT = "analytics.js"  # what Segment's script for pages calls itself, and Customer.io's
AGAIN = timedelta(milliseconds=500)  # the least that either waits before it sends a call again
PLACE = frozenset({"url", "path", "search", "referrer", "title"})  # kept cleaned, in the context
SEEN = frozenset({"ip", "user_agent"})  # by us, of whoever is not trusted
TOLD = {"userAgent": "user_agent", "locale": "locale", "timezone": "timezone"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Reads the calls of one request.

    ``retried``: a page sends them again, and may have put the identity of now on a call of
    before (R2b); a server's client does not. ``sent_at``: of the whole request, by the clock of
    who sent it. ``seen``: address and browser as we saw them, for who is not believed about them.
    """

    sender: Sender
    received_at: datetime
    retried: bool = False
    sent_at: Any = None
    seen: Mapping[str, Json] = field(default_factory=dict)

    def read(self, item: Any, kind: Any = None) -> Message | None:
        """Read one call; None for one that says nothing: an alias of somebody to themselves.

        ``kind``: what the path says it is, else its own "type" does. Raises InvalidMessage.
        """
        if not isinstance(item, Mapping):
            raise InvalidMessage("A call is an object.", code="invalid_message")
        type = TYPES.get(str(kind or item.get("type")))
        if type is None:
            raise InvalidMessage("This type is not known.", code="unknown_type")
        if type is Type.ALIAS and _text(item, "previousId") == _text(item, "userId"):
            return None
        about = _mapping(item, "context")
        is_screen = (kind or item.get("type")) == "screen"
        said = _said(type, item, about)
        return Message(
            type=type,
            names=_called(type, item, said),
            source=self.sender.source,
            message_id=clean_message_id(item.get("messageId")),
            timestamp=self.timestamp(item),
            received_at=self.received_at,
            trusted=self.sender.trusted,
            email_trusted=self.sender.trusted,
            name=_name(type, item, said),
            relations=_relations(type, item, said),
            context={**self.context(about), **_place(type, item, about, said, is_screen=is_screen)},
            properties=_without_place(said) if type is Type.PAGE else said,
            previous=_previous(type, item),
            restamped=self.is_restamped(item, about),
        )

    def refused(self, item: Any, code: str, kind: str) -> FailedEvent:
        """Return a call as it is kept to be read again: with what its request said beside it."""
        beside = {
            name: value for name, value in (("type", kind), ("sentAt", self.sent_at)) if value
        }
        said = (
            {**beside, **item, **({"type": kind} if kind else {})}
            if isinstance(item, Mapping)
            else item
        )
        return self.sender.refused(said, code, self.received_at, Entrance.SEGMENT)

    def is_restamped(self, item: Mapping[str, Any], about: Mapping[str, Any]) -> bool:
        """Say whether a call may bear the identity of now: a script has sent it again.

        Segment's says so in a header; of Customer.io's only its clock tells.
        """
        if self.retried or self.sender.trusted:
            return self.retried
        made, sent = moment(item.get("timestamp")), moment(item.get("sentAt"))
        is_late = made is not None and sent is not None and sent - made >= AGAIN
        return is_late and _line(_mapping(about, "library"), "name") == SCRIPT

    def context(self, about: Mapping[str, Any]) -> dict[str, Json]:
        """Return what is kept of a context; address and browser as it says, if it is trusted."""
        told = _context(about)
        if self.sender.trusted:
            return told
        return {**{name: told[name] for name in told if name not in SEEN}, **self.seen}

    def timestamp(self, item: Mapping[str, Any]) -> datetime:
        """Return when a call was made, by our clock: by theirs, corrected where it is wrong."""
        said = moment(item.get("originalTimestamp") or item.get("timestamp"))
        sent_at = moment(item.get("sentAt") or self.sent_at)
        is_fresh = sent_at is None or abs(self.received_at - sent_at) < FRESH
        oldest = None if self.sender.trusted else timedelta(seconds=conf.BACKDATE_LIMIT)
        return stamp(said, self.received_at, sent_at=None if is_fresh else sent_at, oldest=oldest)


def _said(type: Type, item: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Json]:
    """Return traits, wherever they stand and however they are spelled, or properties."""
    if type is Type.IDENTIFY:
        given = clean_mapping({**_mapping(about, "traits"), **_mapping(item, "traits")})
        for spelled, name in SPELLINGS.items():
            if spelled in given:
                given.setdefault(name, given.pop(spelled))
        return given
    given = clean_mapping(_mapping(item, "traits" if type is Type.GROUP else "properties"))
    if type is Type.PAGE and (category := _line(item, "category")):
        given.setdefault("category", category)
    return given


def _called(type: Type, item: Mapping[str, Any], said: dict[str, Json]) -> Names:
    """Return whom a call is about; an identify's email is no attribute, but one of their names."""
    called = names(
        id=item.get("userId"),
        email=said.pop("email", None) if type is Type.IDENTIFY else None,
        anonymous_id=item.get("anonymousId"),
    )
    if not (called.head or called.cio_id):
        raise InvalidIdentifier("Nobody is named.", code="no_identifier")
    return called


def _name(type: Type, item: Mapping[str, Any], said: Mapping[str, Json]) -> str:
    if type is Type.TRACK:
        if not (name := clean_text(item.get("event"), MAX_NAME)):
            raise InvalidMessage("An event has a name.", code="name_missing")
        return name
    if type is Type.PAGE:
        return clean_text(item.get("name") or said.get("path"), MAX_NAME)
    return ""


def _relations(type: Type, item: Mapping[str, Any], said: dict[str, Json]) -> tuple[Relation, ...]:
    """Return what a group, or Customer.io's keyword among the traits, relates somebody to."""
    if type is Type.GROUP:
        own = clean_mapping(said.pop("relationshipAttributes", None))
        named = [said.pop(name, None) for name in KINDS] + [item.get(name) for name in KINDS]
        kind = next(filter(None, named), GROUP_TYPE)
        return (Relation(object=object_ref(kind, item.get("groupId")), attributes=own),)
    return relations(said.pop(RELATIONSHIPS, None)) if type is Type.IDENTIFY else ()


def _previous(type: Type, item: Mapping[str, Any]) -> Any:
    if type is not Type.ALIAS:
        return None
    previous = names(anonymous_id=item.get("previousId")).anonymous_id
    if previous is None:
        raise InvalidIdentifier("An alias names whom it was before.", code="no_identifier")
    return previous


def _place(
    type: Type,
    item: Mapping[str, Any],
    about: Mapping[str, Any],
    said: Mapping[str, Json],
    *,
    is_screen: bool,
) -> dict[str, Json]:
    """Return where it was: the screen, or the page as the call or its context names it."""
    if is_screen:
        return {"screen": {"name": clean_text(item.get("name"), MAX_NAME)}}
    page = {**_mapping(about, "page"), **(said if type is Type.PAGE else {})}
    kept = page_context(
        url=_line(page, "url"), title=_line(page, "title"), referrer=_line(page, "referrer")
    )
    return placed(kept, _mapping(about, "campaign"))


def _without_place(said: Mapping[str, Json]) -> dict[str, Json]:
    return {name: value for name, value in said.items() if name not in PLACE}


def _context(about: Mapping[str, Any]) -> dict[str, Json]:
    """Return what is kept of a context; of an address no more than of a browser's."""
    kept: dict[str, Json] = {name: _line(about, theirs) for theirs, name in TOLD.items()}
    kept["ip"] = cut_address(_line(about, "ip"))
    kept["library"] = _line(_mapping(about, "library"), "name")
    return {name: value for name, value in kept.items() if value}


def _mapping(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return what stands under ``name``; nothing where that is missing, null or ""."""
    value = of.get(name)
    if value is None or value == "":
        return {}
    if not isinstance(value, Mapping):
        raise InvalidMessage(f"{name} is an object.", code="not_an_object")
    return value


def _line(of: Mapping[str, Any], name: str) -> str:
    value = of.get(name)
    return clean_text(value, 2_000) if isinstance(value, str) else ""


def _text(of: Mapping[str, Any], name: str) -> str:
    return str(of.get(name) or "")
