"""Read what the script posts into messages. One bad message never spoils the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from identity_tracking import links, signatures, sources
from identity_tracking.api.bounds import FORM, refuse_many_claims
from identity_tracking.api.keys import Sender
from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidIdentifier, InvalidMessage
from identity_tracking.form_fields import with_email
from identity_tracking.identifiers import Names, names
from identity_tracking.ingest.context import clean_url, page_context, request_context
from identity_tracking.messages import (
    RELATIONSHIPS,
    Message,
    Type,
    clean_message_id,
    instants,
    moment,
    relations,
    stamp,
)
from identity_tracking.models import Entrance, FailedEvent
from identity_tracking.payloads import MAX_NAME, Json, clean_mapping, clean_text
from identity_tracking.submissions.submission import Submission, read
from identity_tracking.submissions.submit import messages_of
from identity_tracking.submissions.visiting import resolved
from identity_tracking.visitor import Visitor

MAX_MESSAGES = 500
MILLISECONDS = 1_000  # in microseconds; a clock that says 1970 counts them, too
RIGHT = timedelta(seconds=2)  # a clock that is wrong by less is right
WHO = ("id", "email")  # of the data that an identify is called with
TYPES = {
    **{type.value: type for type in (Type.PAGE, Type.TRACK, Type.IDENTIFY, Type.LINK)},
    "sidentify": Type.IDENTIFY,  # as a page may call it
}


@dataclass(kw_only=True, slots=True)
class Delivery:
    """One request's worth: what can be processed, what is kept as failed, and the errors told.

    ``renew``: whether it asks for the cookies anew. ``is_retry``: its answer may be late again.
    """

    received: int
    messages: list[Message] = field(default_factory=list)
    forms: list[Submission] = field(default_factory=list)
    failed: list[FailedEvent] = field(default_factory=list)
    errors: list[dict[str, Json]] = field(default_factory=list)
    renew: bool = False
    is_retry: bool = False

    @property
    def is_refused(self) -> bool:
        """Whether nothing of it could be accepted. A forged link was: nobody is to learn of it."""
        return bool(self.errors) and len(self.errors) == self.received


@dataclass(frozen=True, kw_only=True, slots=True)
class _Envelope:
    """What a request says of all its messages. ``signed``: whom the page's signature proves.

    ``sent_at`` is by the browser's clock, and ``received_at`` where that clock is right.
    """

    sender: Sender
    signed: Names
    received_at: datetime
    sent_at: datetime


def decode(body: Json, visitor: Visitor, received_at: datetime) -> Delivery:
    """Read the body of a request.

    ``{"site_id": "shop", "sent_at": 1763719200123, "retry": 1, "renew": true, "messages":
    [{"type": "track", "message_id": "0192…", "time": 1763719200100, "anonymous_id": "…",
    "id": "42", "email": "…", "name": "added_to_cart", "data": {"sku": "A1"}, "url": "https://…",
    "title": "…", "referrer": "…"}]}``; times are unix milliseconds by the browser's clock. A
    signed page says ``"site_id": "shop:…"``; a signature that is not good is none, and no error.
    The data of an identify is what it was called with, its id and email among it; the name of a
    page may be its URL. Calls of one millisecond count in their order: each is stamped a
    microsecond after the one before it.

    Raises InvalidMessage where the whole of it cannot be read.
    """
    envelope = _envelope(body, received_at)
    items = _items(body)
    delivery = Delivery(
        received=len(items), renew=body.get("renew") is True, is_retry=bool(body.get("retry"))
    )
    for index, (item, at) in enumerate(zip(items, instants(received_at, len(items)), strict=True)):
        try:
            message = _message(item, visitor, replace(envelope, received_at=at))
        except InvalidMessage as error:
            delivery.errors.append({"index": index, "code": error.code, "message": str(error)})
            refused = envelope.sender.refused(item, error.code, received_at, Entrance.SCRIPT)
            delivery.failed.append(refused)
        else:
            if isinstance(message, Submission):
                delivery.forms.append(message)
            elif message:
                delivery.messages.append(message)
    return delivery


def sender_of(body: Json) -> Sender:
    """Return whose site_id a body has: it proves nothing. Raises InvalidMessage, Unavailable."""
    if not isinstance(body, Mapping) or not isinstance(body.get("messages"), list):
        raise InvalidMessage('The body is an object with "messages".', code="invalid_body")
    site_id = body.get("site_id")
    named = site_id.partition(signatures.SEPARATOR)[0] if isinstance(site_id, str) else ""
    known = sources.public(named)
    if known is None:
        raise InvalidMessage("No source has this site_id.", code="unknown_source")
    return Sender.of(known, trusted=False)


def _envelope(body: Json, received_at: datetime) -> _Envelope:
    """Read what a request says of all its messages. A signature is the settings' source's."""
    sender = sender_of(body)
    said: Any = body
    signature = said["site_id"].partition(signatures.SEPARATOR)[2]
    return _Envelope(
        sender=sender,
        signed=signatures.read(signature) if sender.source == conf.SITE_ID else Names(),
        received_at=received_at,
        sent_at=_sent_at(said.get("sent_at"), received_at),
    )


def _sent_at(value: Any, received_at: datetime) -> datetime:
    """Return when a request was sent, by the clock that dates its messages.

    What a right clock differs by is the request's way here. Were it corrected by that, a call
    whose request was slow would be dated after the next one, whose request was not.
    """
    sent_at = _time(value) or received_at
    return received_at if abs(received_at - sent_at) < RIGHT else sent_at


def _items(body: Mapping[str, Any]) -> list[Any]:
    items: list[Any] = body["messages"]
    if len(items) > MAX_MESSAGES:
        raise InvalidMessage(f"A request has at most {MAX_MESSAGES} messages.", code="too_large")
    refuse_many_claims(items)
    return items


def _message(item: Any, visitor: Visitor, envelope: _Envelope) -> Message | Submission | None:
    type = _type(item)
    item = _spelled_out(type, item)
    said = names(
        id=visitor.read_again(item.get("id")),
        email=item.get("email"),
        anonymous_id=item.get("anonymous_id"),
    )
    page = page_context(url=item.get("url"), title=item.get("title"), referrer=item.get("referrer"))
    known: dict[str, Any] = {
        "context": request_context(visitor.request, page),
        "message_id": clean_message_id(item.get("message_id")),
    }
    if type is Type.LINK:
        return links.opened(visitor, item.get("cio_id"), said=said, **known)
    at = _timestamp(item, envelope)
    called, by_session = _called(type, said, visitor, at)
    known |= {
        "source": envelope.sender.source,
        "received_at": envelope.received_at,
        "timestamp": at,
    }
    if type is Type.TRACK and item.get("name") == FORM:
        url = str(page.get("url", ""))
        return _form(item.get("data"), url=url, current=resolved(called), **known)
    trusted, email_trusted = _trust(type, called, visitor, envelope.signed, by_session=by_session)
    data = clean_mapping(item.get("data"))
    return Message(
        type=type,
        names=called,
        trusted=trusted,
        email_trusted=email_trusted,
        name=_name(type, item, page),
        relations=relations(data.pop(RELATIONSHIPS, None)) if type is Type.IDENTIFY else (),
        properties=data,
        **known,
    )


def _type(item: Any) -> Type:
    if not isinstance(item, Mapping) or not isinstance(item.get("type"), str):
        raise InvalidMessage("A message is an object with a type.", code="invalid_message")
    if item["type"] not in TYPES:
        raise InvalidMessage("This type is not known.", code="unknown_type")
    return TYPES[item["type"]]


def _spelled_out(type: Type, item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a call as if whom it identifies, or the URL of its page, had been said apart."""
    data, name = item.get("data"), item.get("name")
    if type is Type.IDENTIFY and isinstance(data, Mapping):
        who = {field: data[field] for field in WHO if data.get(field)}
        if _is_no_email(who.get("email"), copy=item.get("id")):
            who.setdefault("id", None)
        return {**item, **who, "data": {key: data[key] for key in data if key not in WHO}}
    if type is Type.PAGE and isinstance(name, str) and "://" in name and clean_url(name):
        return {**item, "url": name, "name": None}
    return item


def _is_no_email(said: Any, copy: Any) -> bool:
    """Say whether ``copy`` is what a cookie holds of an email that is none: no id either."""
    is_copy = isinstance(said, str | int | float) and copy == str(said).strip()
    return is_copy and "@" not in copy


def _timestamp(item: Mapping[str, Any], envelope: _Envelope) -> datetime:
    """Return when it was, by our clock, and no longer ago than a browser is believed."""
    oldest = timedelta(seconds=conf.BACKDATE_LIMIT)
    said, received_at = _time(item.get("time")), envelope.received_at
    return stamp(said, received_at, sent_at=envelope.sent_at, oldest=oldest)


def _form(data: Any, **known: Any) -> Submission:
    """Read a form. Raises InvalidMessage, also where it is nobody's."""
    if not isinstance(data, Mapping):
        raise InvalidMessage('A form has "data", an object.', code="invalid_data")
    submission = read(data.get("form_id"), with_email(data), trusted=False, **known)
    if not submission.current.head:  # then a field has to say whose it is
        messages_of([submission])
    return submission


def _called(type: Type, said: Names, visitor: Visitor, at: datetime) -> tuple[Names, bool]:
    """Return whom a message is from, and whether the session proves it.

    The session is read only where that can matter.
    """
    if said.id and type is not Type.IDENTIFY:
        called, proven = said, False
    elif visitor.has_session and (said.id or not _was_left(said, visitor, at)):
        called, proven = visitor.who(said)
    else:
        called, proven = said, False
    if not (called.head or called.cio_id):
        raise InvalidIdentifier("The message names nobody.", code="no_identifier")
    if type is Type.IDENTIFY and not (said.id or said.email or said.cio_id):
        raise InvalidIdentifier("An identify has an id or an email.", code="no_identifier")
    return called, proven


def _was_left(said: Names, visitor: Visitor, at: datetime) -> bool:
    """Say whether a message was called before its browser was handed on to who is logged in.

    A page keeps what it could not deliver, and a later one sends it. Handing on gives a browser
    another anonymous id; IN_MEMORY reads no cookie.
    """
    browser = visitor.cookie_anonymous_id
    if conf.IN_MEMORY or said.anonymous_id is None or browser in (None, said.anonymous_id.value):
        return False
    since = moment(getattr(visitor.user, "last_login", None))
    return since is not None and at < since


def _trust(
    type: Type, called: Names, visitor: Visitor, signed: Names, *, by_session: bool
) -> tuple[bool, bool]:
    """Say whether a message is trusted, and whether the email beside its id is.

    What proves the email is what proves the id: the session, or the page's signature.
    """
    # Trust is part of a message's key: were a page view's to follow the session, one that is
    # repeated after a login would be kept twice. Only what an identify says needs it.
    if type is not Type.IDENTIFY:
        return False, False
    by_signature = called.id is not None and called.id == signed.id
    email = called.email
    return by_session or by_signature, email is not None and (
        (by_signature and email == signed.email) or (by_session and email == visitor.proven_email)
    )


def _name(type: Type, item: Mapping[str, Any], page: Mapping[str, Json]) -> str:
    name = clean_text(item.get("name"), MAX_NAME)
    if type is Type.TRACK and not name:
        raise InvalidMessage("An event has a name.", code="name_missing")
    if type is Type.PAGE:
        return name or str(page.get("path", ""))[:MAX_NAME]
    return name


def _time(value: Any) -> datetime | None:
    if isinstance(value, str):
        raise InvalidMessage("Times are unix milliseconds.", code="invalid_timestamp")
    return moment(value, unit=MILLISECONDS)
