"""The public Python API. Each call makes one message and processes it.

``who`` is the request at hand, a Person, or None with ``id=``, ``email=`` or ``anonymous_id=``.
With a request or a Person a call never raises, so that tracking never breaks the host's page:
what fails is logged, and what cannot be accepted is kept as a FailedEvent. With None it raises
IdentityTrackingError, so that a script or a task can try again. Calls join the caller's
transaction behind a savepoint and are kept if, and only if, that commits.

Every call also takes the Options: ``id``, ``email`` and ``anonymous_id`` (who it is),
``timestamp`` (an aware datetime or unix seconds; default: now) and ``message_id`` (a repeated
one is ignored).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, TypeAlias, TypedDict, TypeVar, Unpack

from django.http import HttpRequest

from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidIdentifier, InvalidMessage
from identity_tracking.identifiers import Kind, Names, Ref, names
from identity_tracking.identity import merge as merging
from identity_tracking.identity import voiding
from identity_tracking.identity import why as reasons
from identity_tracking.identity.why import Reason
from identity_tracking.ingest.context import request_context
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database, in_transaction, reachable
from identity_tracking.messages import (
    RELATIONSHIPS,
    Message,
    Outcome,
    Relation,
    Type,
    clean_message_id,
    moment,
    object_ref,
    relations,
    stamp,
)
from identity_tracking.models import Claim, FailedEvent, MergeOperation, Person
from identity_tracking.payloads import MAX_NAME, clean_mapping, clean_text, printable
from identity_tracking.visitor import Visitor, harmless

Who: TypeAlias = HttpRequest | Person | None
Result = TypeVar("Result")

logger = logging.getLogger(__name__)


class Options(TypedDict, total=False):
    """What every call also takes."""

    id: Any
    email: Any
    anonymous_id: Any
    timestamp: Any
    message_id: Any
    trusted: bool  # False: somebody typed this, nobody has proven it


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    """One call, as it was made."""

    type: Type
    who: Who
    options: Options
    name: Any = ""
    properties: Mapping[str, Any] = field(default_factory=dict)
    relation: tuple[Any, Any, bool] | None = None  # object type, object id, whether it is added
    previous: Any = None  # the anonymous id that an alias claims
    email_trusted: bool = True


def identify(who: Who, *, id: Any = None, email: Any = None, **given: Any) -> Person | None:
    """Say who somebody is, and what is known of them; return the person.

    ``given`` are attributes, which are set or overwritten while others stay (None removes one),
    and ``anonymous_id``, ``timestamp``, ``message_id`` and ``trusted``. With a request the
    browser's anonymous history becomes the person's and its cookies remember them. Without
    ``id`` and ``email`` it is the session's user, by the settings USER_ID and USER_ATTRIBUTES;
    None where nobody is logged in, or they give neither an id nor an email.
    """
    options, attributes = _split({"id": id, "email": email, **given})
    call = _Call(type=Type.IDENTIFY, who=_unwrapped(who), options=options, properties=attributes)
    return _attempt(call, _identify)


def track(
    who: Who, name: str, properties: Mapping[str, Any] | None = None, **options: Unpack[Options]
) -> Outcome | None:
    """Keep that somebody did ``name``; None if it could not be kept."""
    return _keep(Type.TRACK, who, options, name=name, properties=properties or {})


def page(
    who: Who,
    name: str = "",
    properties: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> Outcome | None:
    """Keep that somebody saw a page: the request's own, or the one that ``name`` names."""
    return _keep(Type.PAGE, who, options, name=name, properties=properties or {})


def relate(who: Who, object_type: str, object_id: Any, **given: Any) -> Outcome | None:
    """Relate somebody to an object, which is made on its first mention.

    ``given`` are the relationship's attributes, set or overwritten while others stay, and the
    options of every call.
    """
    options, attributes = _split(given)
    relation = (object_type, object_id, True)
    return _keep(Type.RELATE, who, options, properties=attributes, relation=relation)


def unrelate(
    who: Who, object_type: str, object_id: Any, **options: Unpack[Options]
) -> Outcome | None:
    """End somebody's relationship to an object. The object stays."""
    return _keep(Type.RELATE, who, options, relation=(object_type, object_id, False))


def group(
    who: Who,
    object_type: str,
    object_id: Any,
    attributes: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> Outcome | None:
    """Relate somebody to an object, and say what is known of the object: None removes one."""
    said = {"properties": attributes or {}, "relation": (object_type, object_id, True)}
    return _keep(Type.GROUP, who, options, **said)


def alias(who: Who, previous: Any, **options: Unpack[Options]) -> Outcome | None:
    """Say that what was done under the anonymous id ``previous`` was done by somebody with an id.

    It claims that browser for them as an identify does, and nothing else.
    """
    return _keep(Type.ALIAS, who, options, previous=previous)


def merge(
    primary: Person, secondary: Person, *, by: Any = None, reason: str = ""
) -> MergeOperation:
    """Say that two people are one human; ``operation.undo(by=…)`` takes it back exactly.

    Everything of ``secondary`` resolves to ``primary``, whose attributes stay; what it lacked it
    inherits. ``by``: who says so, a user or any text. Old ids, emails and cio_ids keep working.
    Raises MergeRefused for one and the same person, or where one was deleted; Unavailable for
    database trouble. Locks both people, and all whom merges connect to them.
    """
    using = database()
    return in_transaction(
        lambda: merging.merge(
            primary, secondary, at=datetime.now(UTC), by=by, reason=reason, using=using
        ),
        using,
    )


def undo(operation: MergeOperation, *, by: Any = None) -> None:
    """Take a merge back: what ``operation.undo(by=…)`` does. Safe to repeat.

    Raises Unavailable for database trouble. Locks whom ``merge`` locks.
    """
    using = database()
    in_transaction(lambda: merging.undo(operation, by=by, using=using), using)


def void(claim: Claim, *, by: Any = None, reason: str = "") -> None:
    """Let one wrong claim count no more: what ``claim.void(by=…)`` does. Safe to repeat.

    ``by``: who says so, a user or any text. Raises Unavailable for database trouble.
    """
    using = database()
    in_transaction(lambda: voiding.void(claim, by=by, reason=reason, using=using), using)


def restore(claim: Claim) -> None:
    """Let a voided claim count again: what ``claim.restore()`` does. Safe to repeat.

    Raises Unavailable for database trouble.
    """
    using = database()
    in_transaction(lambda: voiding.restore(claim, using=using), using)


def why(person: Person) -> list[Reason]:
    """Return why each identifier is ``person``'s: by which message, when, trusted or not."""
    using = database()
    with reachable(using):
        return reasons.why(person, using)


def reset(request: HttpRequest) -> None:
    """Make the browser behind ``request`` nobody's: what it does next is a new visitor's."""
    _visitor(_unwrapped(request)).forget()


def _keep(type: Type, who: Who, options: Options, **call: Any) -> Outcome | None:
    made = _Call(type=type, who=_unwrapped(who), options=options, **call)
    return _attempt(made, lambda call: process([_message(call)])[0])


def _identify(call: _Call) -> Person | None:
    if not isinstance(call.who, HttpRequest):
        return _processed(_message(call))
    visitor = _visitor(call.who)
    if not (call.options.get("id") or call.options.get("email")):
        if (of_user := _of_user(call, visitor)) is None:
            return None
        call = of_user
    before = _owner(visitor.cookie_anonymous_id)
    message = _message(call)
    person = _processed(message)
    if person is not None:
        _remember(visitor, message, person, before)
    return person


def _of_user(call: _Call, visitor: Visitor) -> _Call | None:
    """Return the call with the session's user as its person; None where nothing names one."""
    if visitor.user is None:
        return None
    attributes = {**conf.ask("USER_ATTRIBUTES", visitor.user, otherwise={}), **call.properties}
    options: Options = {**call.options, "id": conf.ask("USER_ID", visitor.user)}
    options["email"] = attributes.pop("email", None)
    verified = bool(options["email"]) and bool(conf.ask("EMAIL_VERIFIED", visitor.user))
    called = names(id=options["id"], email=options["email"])
    if not (called.head or called.cio_id):
        return None
    if not (called.id or called.cio_id or verified):  # an email alone proves nobody
        options["trusted"] = False
    return replace(call, options=options, properties=attributes, email_trusted=verified)


def _remember(visitor: Visitor, message: Message, person: Person, before: Person | None) -> None:
    """Let the browser remember the person; a browser that was somebody else's starts afresh."""
    if message.names.cio_id:
        visitor.become(f"cio_{message.names.cio_id}")
    elif message.head.kind is Kind.ANONYMOUS_ID:
        return
    elif names(id=message.head.value).head == message.head:
        visitor.become(message.head.value)
    else:  # an email without a domain would be read as an id
        visitor.become(f"cio_{person.cio_id}")
    if before is not None and before != person:
        visitor.rotate()


def _processed(message: Message) -> Person | None:
    if process([message])[0] is Outcome.SUPPRESSED:
        return None
    people = Person.objects.using(database())  # a replica may not have them yet
    return people.called(message.names)


def _owner(anonymous_id: str | None) -> Person | None:
    people = Person.objects.using(database())
    return people.find(anonymous_id=anonymous_id) if anonymous_id else None


def _message(call: _Call) -> Message:
    """Make the message of a call. Raises InvalidMessage."""
    now = datetime.now(UTC)
    called, trusted = _called(call)
    if not (called.head or called.cio_id):
        raise InvalidIdentifier("Nobody is named: give a request, a Person, or id= or email=.")
    properties = clean_mapping(call.properties)
    changes = relations(properties.pop(RELATIONSHIPS, None))
    if call.relation:
        object_type, object_id, present = call.relation
        of = object_ref(object_type, object_id)
        own, properties = ({}, properties) if call.type is Type.GROUP else (properties, {})
        changes = (Relation(object=of, present=present, attributes=own),)
    return Message(
        type=call.type,
        names=called,
        source=conf.SITE_ID,
        message_id=clean_message_id(call.options.get("message_id")),
        timestamp=stamp(moment(call.options.get("timestamp")), now),
        received_at=now,
        trusted=trusted,
        email_trusted=trusted and call.email_trusted,
        name=_name(call),
        properties=properties,
        relations=changes,
        context=request_context(call.who) if isinstance(call.who, HttpRequest) else {},
        previous=_previous(call),
    )


def _previous(call: _Call) -> Ref | None:
    previous = names(anonymous_id=call.previous).anonymous_id
    if previous is None and call.type is Type.ALIAS:
        raise InvalidIdentifier("An alias names the anonymous id that it claims.")
    return previous


def _name(call: _Call) -> str:
    name = clean_text(call.name, MAX_NAME)
    if call.type is Type.TRACK and not name:
        raise InvalidMessage("An event has a name.", code="name_missing")
    if call.type is Type.PAGE and not name and isinstance(call.who, HttpRequest):
        return clean_text(call.who.path, MAX_NAME)
    return name


def _called(call: _Call) -> tuple[Names, bool]:
    """Return whom a call is about, and whether that is proven."""
    given = {key: call.options.get(key) for key in ("id", "email", "anonymous_id")}
    trusted = call.options.get("trusted", True)
    if isinstance(call.who, Person):
        return names(**given, cio_id=call.who.cio_id), trusted
    if call.who is None:
        return names(**given), trusted
    visitor = _visitor(call.who)
    given["anonymous_id"] = given["anonymous_id"] or _anonymous_id(visitor)
    if given["id"] or given["email"]:
        return visitor.who(names(**given))[0], trusted
    claimed = None if visitor.objects else visitor.claimed_id
    return visitor.who(names(**{**given, "id": claimed}))


def _anonymous_id(visitor: Visitor) -> str | None:
    """The visitor's anonymous id; no new one where no middleware would set its cookie.

    None of a browser that objects to being followed.
    """
    if visitor.objects:
        return None
    kept = getattr(visitor.request, "visitor", None) is visitor
    return visitor.anonymous_id if kept else visitor.cookie_anonymous_id


def _visitor(request: HttpRequest) -> Visitor:
    visitor: Visitor = getattr(request, "visitor", None) or Visitor(request)
    return visitor


def _unwrapped(who: Any) -> Any:
    """Return Django's request where a REST framework's is given."""
    return getattr(who, "_request", who)


def _split(given: Mapping[str, Any]) -> tuple[Options, dict[str, Any]]:
    """Part the options of a call from attributes."""
    known = Options.__annotations__
    options: Options = {key: value for key, value in given.items() if key in known}  # type: ignore[assignment]
    return options, {key: value for key, value in given.items() if key not in known}


def _attempt(call: _Call, work: Callable[[_Call], Result | None]) -> Result | None:
    """Do ``work``. With a request or a Person what fails is kept or logged, and never raised."""
    if call.who is None:
        return _done(call, work)
    with harmless(f"recording a call of type {call.type}"):
        try:
            return _done(call, work)
        except InvalidMessage as error:
            _keep_refused(call, error)
    return None


def _done(call: _Call, work: Callable[[_Call], Result | None]) -> Result | None:
    if isinstance(call.who, HttpRequest) and not _may_be_recorded(_visitor(call.who), call):
        return None
    if not conf.ENABLED:
        return None
    with reachable(database()):
        return work(call)


def _may_be_recorded(visitor: Visitor, call: _Call) -> bool:
    """Say whether to record a call; of a browser that objects only what names somebody itself."""
    if visitor.objects and not any(call.options.get(key) for key in ("id", "email")):
        return visitor.user is not None and visitor.may_be_recorded()
    return visitor.may_be_recorded()


def _keep_refused(call: _Call, error: InvalidMessage) -> None:
    """Keep what cannot be accepted, with the reason."""
    logger.warning("A call of type %s was refused: %s.", call.type, error.code)
    refused = FailedEvent(
        code=error.code,
        payload=printable({"type": call.type, "name": call.name, "data": call.properties}),
        source=conf.SITE_ID,
        trusted=True,
        received_at=datetime.now(UTC),
    )
    process([], failed=[refused])
