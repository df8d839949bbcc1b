"""What the Track API's calls mean, as messages. Knows no request and no database.

https://docs.customer.io/integrations/api/track/
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from identity_tracking.api.keys import Sender
from identity_tracking.api.objects import device
from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidIdentifier, InvalidMessage
from identity_tracking.identifiers import Names, names
from identity_tracking.ingest.context import MAX_URL, page_context, placed
from identity_tracking.messages import (
    RELATIONSHIPS,
    Description,
    Message,
    ObjectRef,
    Order,
    Relation,
    Type,
    clean_message_id,
    microseconds,
    moment,
    new_message_id,
    relations,
    stamp,
)
from identity_tracking.payloads import MAX_NAME, Json, clean_mapping, clean_text

VIEWS = frozenset({"page", "screen"})
NAMING = ("id", "email", "anonymous_id")
PEOPLE = ("id", "email", "cio_id")
ANYBODY = (*PEOPLE, "anonymous_id")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Reads the calls of one request. ``received_at``: when it came.

    ``objects``: those that its calls name by their key.
    """

    sender: Sender
    received_at: datetime
    objects: Mapping[UUID, ObjectRef] = field(default_factory=dict)

    def identify(self, called: Names, body: Json) -> Message:
        """Read attributes, with the keywords among them: names, ``_timestamp``, relationships."""
        given = attributes(body)
        changes = relations(given.pop(RELATIONSHIPS, None))
        at = given.pop("_timestamp", None)
        said = {name: given.pop(name, None) for name in NAMING}
        given.pop("_update", None)
        person = renamed(called, names(**said))
        return self._message(Type.IDENTIFY, person, at, properties=given, relations=changes)

    def event(self, called: Names, body: Mapping[str, Any]) -> Message:
        """Read an event, or a page or screen view: ``{name, type, id, timestamp, data}``."""
        name = clean_text(body.get("name"), MAX_URL)
        if not name:
            raise InvalidMessage("An event has a name.", code="name_missing")
        kind = str(body.get("type") or "event")
        page = page_context(url=name) if kind == "page" and "://" in name else {}
        name = str(page.get("url", name))[:MAX_NAME]
        return self._message(
            Type.PAGE if kind in VIEWS else Type.TRACK,
            called,
            body.get("timestamp"),
            message_id=body.get("id"),
            name=name,
            properties=clean_mapping(body.get("data", body.get("attributes"))),
            context=_seen(kind, name, page),
        )

    def device(self, called: Names, body: Any) -> Message:
        """Read somebody's relationship to a device."""
        return self.related(called, (device(body),))

    def related(self, called: Names, changes: tuple[Relation, ...]) -> Message:
        if not changes:
            raise InvalidMessage("No relationship is named.", code="invalid_relationships")
        return self._message(Type.RELATE, called, None, relations=changes)

    def description(
        self,
        of: ObjectRef,
        at: Any,
        *,
        said: Mapping[str, Json] | None = None,
        present: bool = True,
    ) -> Description:
        """Return what is said of an object itself: its attributes, or that it is no more."""
        order = Order(
            microseconds(self.timestamp(at)),
            new_message_id(),
            self.sender.trusted,
            self.sender.source,
        )
        return Description(
            object=of,
            order=order,
            received_at=self.received_at,
            attributes=said or {},
            present=present,
        )

    def timestamp(self, said: Any) -> datetime:
        """Return the time of a call; of one that anybody may make not too far back."""
        oldest = None if self.sender.trusted else timedelta(seconds=conf.BACKDATE_LIMIT)
        return stamp(moment(said), self.received_at, oldest=oldest)

    def _message(self, type: Type, called: Names, at: Any, **said: Any) -> Message:
        if not (called.head or called.cio_id):
            raise InvalidIdentifier("Nobody is named.", code="no_identifier")
        return Message(
            type=type,
            names=called,
            source=self.sender.source,
            message_id=clean_message_id(said.pop("message_id", None)),
            timestamp=self.timestamp(at),
            received_at=self.received_at,
            trusted=self.sender.trusted,
            email_trusted=self.sender.trusted,
            relations=tuple(
                replace(one, attributes=_emptied(one.attributes))
                for one in said.pop("relations", ())
            ),
            **said,
        )


def addressed(identifier: Any) -> Names:
    """Return whom a path names: judged by its shape, a cio_id, an email or an id."""
    called = names(id=identifier)
    if not (called.head or called.cio_id):
        raise InvalidIdentifier("The path names nobody.", code="no_identifier")
    return called


def renamed(called: Names, said: Names) -> Names:
    """Return who is ``called`` so, with what the body says they are called.

    What the call addresses stands. Another email is what they are called also, and so is another
    id of a cio_id's person (R9); an id beside another, and a cio_id beside anything, is refused:
    it may be somebody else's.
    """
    spare = [said.email] if called.email and said.email != called.email else []
    other_id = called.id and said.id and said.id != called.id
    other_cio_id = said.cio_id and said.cio_id != called.cio_id
    refused = ("id",) if other_id or other_cio_id else ()
    return replace(
        called,
        id=called.id or said.id,
        email=called.email or said.email,
        anonymous_id=called.anonymous_id or said.anonymous_id,
        also=(*called.also, *said.also, *(ref for ref in spare if ref)),
        refused=(*called.refused, *said.refused, *refused),
    )


def identified(value: Any, kinds: Collection[str] = PEOPLE) -> Names:
    """Return whom ``{"id": …}``, ``{"email": …}`` or ``{"cio_id": …}`` names: exactly one.

    ``kinds``: what may name them; an anonymous id names whoever the browser is by now.
    """
    if not isinstance(value, Mapping) or len(value) != 1 or not value.keys() <= {*kinds}:
        raise InvalidIdentifier(f"Give one of {', '.join(kinds)}.", code="invalid_identifiers")
    called = names(**value)
    if not (called.head or called.cio_id):
        raise InvalidIdentifier("Nobody is named.", code="no_identifier")
    return called


def attributes(value: Any) -> dict[str, Json]:
    """Read attributes: null removes one, and so does an empty text."""
    return _emptied(clean_mapping(value))


def only_updates(body: Any) -> bool:
    """Say whether an identify shall make nobody."""
    return isinstance(body, Mapping) and body.get("_update") in (True, "true")


def object_relations(value: Json, *, present: bool) -> tuple[Relation, ...]:
    """Read the relationships of a call that itself says whether to add them or to end them."""
    verb = "add_relationships" if present else "remove_relationships"
    return relations({"action": verb, "relationships": value}) if value else ()


def _emptied(given: Mapping[str, Json]) -> dict[str, Json]:
    return {name: None if one == "" else one for name, one in given.items()}


def _seen(kind: str, name: str, page: Json) -> dict[str, Json]:
    if kind == "screen":
        return {"screen": {"name": name}}
    return placed(page)
