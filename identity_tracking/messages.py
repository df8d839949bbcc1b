"""A message: what an entrance makes of a call, and all that ingest and identity ever see of it."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from itertools import count
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db.models import TextChoices
from django.utils.timezone import get_default_timezone, make_aware
from django.utils.translation import gettext_lazy as _

from identity_tracking.exceptions import InvalidMessage
from identity_tracking.identifiers import Kind, Names, Ref, digest
from identity_tracking.payloads import MAX_NAME, Json, clean_mapping, clean_text

RELATIONSHIPS = "cio_relationships"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_MESSAGE_ID = (
    100  # characters: Segment's limit, https://segment.com/docs/connections/spec/common/
)
_MILLISECONDS_FROM = (
    100_000_000_000  # a number this large counts milliseconds: as seconds, year 5138
)
_CALLS = count(secrets.randbits(31))  # of ``new_message_id``; thread-safe, 32 bits of it are used


class Type(TextChoices):
    """What a message, and the activity it becomes, says."""

    PAGE = "page", _("page view")
    TRACK = "track", _("event")
    IDENTIFY = "identify", _("identify")
    ALIAS = "alias", _("alias")
    GROUP = "group", _("group")
    FORM = "form", _("form")
    LINK = "link", _("personal link")
    RELATE = "relate", _("relationship")


IDENTIFYING = frozenset({Type.IDENTIFY, Type.LINK, Type.FORM})  # say who somebody is
WRITING = frozenset(  # say something lasting of somebody
    {Type.IDENTIFY, Type.FORM, Type.GROUP, Type.RELATE}
)
DOING = frozenset({Type.PAGE, Type.TRACK})  # say only that somebody did something
REFILLED = DOING | {Type.GROUP}  # say nothing of who it is: some clients fill that in anew


class Outcome(Enum):
    """What became of a message."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    REFUSED = "refused"
    SUPPRESSED = "suppressed"  # it names somebody who was erased: nothing of it is kept


class ObjectRef(NamedTuple):
    """An object that people relate to, by its type and id: ("course", "42")."""

    type: str
    id: str

    @property
    def key(self) -> UUID:
        return digest(self.type, self.id)


@dataclass(frozen=True, kw_only=True, slots=True)
class Relation:
    """One relationship that a message adds or removes."""

    object: ObjectRef
    present: bool = True
    attributes: Mapping[str, Json] = field(default_factory=dict)


class Order(NamedTuple):
    """Where a message stands among all others: the only order that anything here depends on."""

    time: int  # microseconds since 1970
    message_id: str
    trusted: bool
    source: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """What one call says of an object itself: attributes, of which None removes one.

    Not ``present``: that it is no more, with all that was said of it before.
    """

    object: ObjectRef
    order: Order
    received_at: datetime
    attributes: Mapping[str, Json] = field(default_factory=dict)
    present: bool = True

    @property
    def at(self) -> datetime:
        return EPOCH + timedelta(microseconds=self.order.time)


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One accepted call.

    ``timestamp`` is stamped once, never later than ``received_at``, and then part of the message.
    ``trusted``: the sender proved the id. ``email_trusted``: also the email beside it.
    ``previous``: the anonymous id that an alias claims. ``assigns``: the attributes that a form
    writes, each with the property that it takes. ``restamped``: repeated by a client that
    puts the identity of now on a call of before, as Segment's analytics-next does; so the id of
    a call that is no identify is not believed (R2b).
    """

    type: Type
    names: Names
    source: str
    message_id: str
    timestamp: datetime
    received_at: datetime
    trusted: bool = False
    email_trusted: bool = False
    name: str = ""
    properties: Mapping[str, Json] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    context: Mapping[str, Json] = field(default_factory=dict)
    previous: Ref | None = None
    assigns: Mapping[str, str] = field(default_factory=dict)
    restamped: bool = False

    @property
    def key(self) -> UUID:
        """The activity's primary key: a message is kept once per source and trust (R1)."""
        return digest(self.source, str(int(self.trusted)), self.message_id)

    @property
    def head(self) -> Ref:
        head = self.names.head
        if self.restamped and self.type in REFILLED:
            head = self.names.anonymous_id or head
        if head is None:
            raise InvalidMessage("The message names nobody.", code="no_identifier")
        return head

    @property
    def order(self) -> Order:
        return Order(microseconds(self.timestamp), self.message_id, self.trusted, self.source)

    @property
    def refs(self) -> tuple[Ref, ...]:
        """Every identifier that the message needs: its head, and all that it claims."""
        said = (*self.names.refs, *self.accepted) if self.type in IDENTIFYING else (self.head,)
        return (*said, self.previous) if self.previous else said

    @property
    def accepted(self) -> tuple[Ref, ...]:
        """What else its person is called from now on, as it is trusted to say (R9)."""
        if self.type not in IDENTIFYING:
            return ()
        return tuple(
            ref
            for ref in self.names.also
            if (self.email_trusted if ref.kind is Kind.EMAIL else self.trusted)
        )

    @property
    def refused(self) -> tuple[str, ...]:
        """Which of its names could not be used, as the wire calls them: "id", "email"."""
        lost = set(self.names.also) - {*self.accepted, *self.names.refs}
        return (*self.names.refused, *sorted(ref.field for ref in lost))

    @property
    def attributes(self) -> Mapping[str, Json]:
        """The attributes that the message writes."""
        if self.type is Type.FORM:
            said = self.properties
            return {name: said[own] for name, own in self.assigns.items() if own in said}
        return self.properties if self.type is Type.IDENTIFY else {}

    @property
    def relationships(self) -> tuple[Relation, ...]:
        """The relationships that the message adds or removes."""
        return self.relations if self.type in WRITING else ()

    @property
    def description(self) -> Description | None:
        """What the message says of the object that it relates to: a group's traits."""
        if self.type is not Type.GROUP or not (self.relations and self.properties):
            return None
        return Description(
            object=self.relations[0].object,
            order=self.order,
            received_at=self.received_at,
            attributes=self.properties,
        )

    @property
    def email(self) -> Ref | None:
        """The email that the message gives its id."""
        return self.names.email if self.type in IDENTIFYING and self.names.id else None

    @property
    def writes(self) -> bool:
        """Whether the message says something lasting about its person."""
        return bool(self.attributes or self.relationships or self.email or self.accepted)


def microseconds(moment: datetime) -> int:
    """Return ``moment`` as whole microseconds since 1970."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def moment(value: Any, *, unit: int | None = None) -> datetime | None:
    """Read a point in time: an aware datetime, ISO 8601 text, or unix seconds or milliseconds.

    ``unit``: the microseconds that a number counts; None: told by its size.
    Where USE_TZ is False a naive datetime is TIME_ZONE's, as Django's own are there.
    Returns None for None and "". Raises InvalidMessage (code ``invalid_timestamp``) for the rest.
    """
    if value is None or value == "":
        return None
    try:
        return _moment(value, unit)
    except (ValueError, ArithmeticError, TypeError) as error:
        raise InvalidMessage("This is no time.", code="invalid_timestamp") from error


def stamp(
    said: datetime | None,
    received_at: datetime,
    *,
    sent_at: datetime | None = None,
    oldest: timedelta | None = None,
) -> datetime:
    """Return the time of a message: when its sender says it was, but never after it came.

    ``sent_at``, by the same clock as ``said``, corrects that clock. ``oldest`` bounds how far
    back the sender is believed.
    """
    if said is None:
        return received_at
    if sent_at is not None:
        ago = max(sent_at - said, timedelta(0))
        said = received_at - min(ago, received_at - EPOCH)
    if oldest is not None:
        said = max(said, received_at - oldest)
    return min(max(said, EPOCH), received_at)


def instants(received_at: datetime, count: int) -> list[datetime]:
    """Return when each of ``count`` that came together came: in their order, never later."""
    return [received_at - timedelta(microseconds=ago) for ago in reversed(range(count))]


def new_message_id() -> str:
    """Return a UUIDv7 (RFC 9562): sorted by time, and within a millisecond as one process made it.

    So calls without an id that are of one moment count in the order in which they came.
    """
    milliseconds, call = time.time_ns() // 1_000_000, next(_CALLS)
    upper = milliseconds << 16 | 0x7000 | call >> 20 & 0xFFF
    lower = 0b10 << 62 | (call & 0xFFFFF) << 42 | secrets.randbits(42)
    return str(UUID(int=upper << 64 | lower))


def clean_message_id(value: Any) -> str:
    """Return the sender's message id, or a new one where there is none."""
    text = clean_text(value, MAX_MESSAGE_ID + 1)
    if len(text) > MAX_MESSAGE_ID:
        raise InvalidMessage(
            f"A message id has at most {MAX_MESSAGE_ID} characters.", code="message_id_too_long"
        )
    return text or new_message_id()


def object_ref(object_type: Any, object_id: Any) -> ObjectRef:
    """Clean the type and id of an object."""
    ref = ObjectRef(clean_text(object_type, MAX_NAME), clean_text(object_id, MAX_NAME))
    if not all(ref):
        raise InvalidMessage("An object has a type and an id.", code="invalid_object")
    return ref


def relations(value: Any) -> tuple[Relation, ...]:
    """Read ``cio_relationships``, in any of the shapes that clients send.

    One object or a list of ``{"action": "add_relationships", "relationships": [{"identifiers":
    {"object_type_id": "1", "object_id": "acme"}, "relationship_attributes": {"role": "admin"}}]}``;
    either list may come as an object keyed by index, as clients without array parameters send it.
    https://docs.customer.io/integrations/api/track/#operation/identify
    """
    return tuple(
        _relation(one, present=_adds(block.get("action", "add_relationships")))
        for block in listed(value, "action", "relationships")
        for one in listed(block.get("relationships"), "identifiers")
    )


def relations_as_sent(changes: Iterable[Relation]) -> Json:
    """Return ``changes`` in the shape that ``relations`` reads."""
    return [
        {
            "action": "add_relationships" if change.present else "remove_relationships",
            "relationships": [
                {
                    "identifiers": {
                        "object_type_id": change.object.type,
                        "object_id": change.object.id,
                    },
                    "relationship_attributes": dict(change.attributes),
                }
            ],
        }
        for change in changes
    ]


def relations_as_kept(value: Json) -> tuple[Relation, ...]:
    """Return what ``relations_as_sent`` gave, unchanged: it was cleaned when it was accepted.

    Cleaned again it might be refused: PostgreSQL gives a large float back as an integer.
    """
    return tuple(
        Relation(
            object=ObjectRef(one["identifiers"]["object_type_id"], one["identifiers"]["object_id"]),
            present=_adds(block["action"]),
            attributes=one["relationship_attributes"],
        )
        for block in value or ()
        for one in block["relationships"]
    )


def listed(value: Any, *own_keys: str) -> list[Mapping[str, Any]]:
    """Return a list, an index-keyed object or a single object as a list of objects.

    ``own_keys``: by one of them a single object is told.
    """
    if value is None:
        return []
    if isinstance(value, Mapping):
        value = [value] if any(key in value for key in own_keys) else list(value.values())
    if not isinstance(value, list | tuple) or not all(isinstance(one, Mapping) for one in value):
        raise InvalidMessage(
            "cio_relationships has an unknown shape.", code="invalid_relationships"
        )
    return list(value)


def _adds(action: Any) -> bool:
    verb = str(action).partition("_")[0]
    if verb not in {"add", "remove", "delete"}:
        raise InvalidMessage("This action is not known.", code="invalid_relationships")
    return verb == "add"


def _relation(value: Mapping[str, Any], *, present: bool) -> Relation:
    identifiers = value.get("identifiers")
    if not isinstance(identifiers, Mapping):
        raise InvalidMessage("A relationship names its object.", code="invalid_object")
    return Relation(
        object=object_ref(identifiers.get("object_type_id"), identifiers.get("object_id")),
        present=present,
        attributes=clean_mapping(value.get("relationship_attributes")) if present else {},
    )


def _moment(value: Any, unit: int | None) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None and settings.USE_TZ:
            raise ValueError("naive")
        zoned = make_aware(value, get_default_timezone()) if value.tzinfo is None else value
        return zoned.astimezone(UTC)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            parsed = datetime.fromisoformat(value.strip())
            return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
    if isinstance(value, bool):
        raise TypeError
    unit = unit or (1_000_000 if abs(value) < _MILLISECONDS_FROM else 1_000)
    return EPOCH + timedelta(microseconds=round(value * unit))
