"""Messages in few words for the tests, and whose each became."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any

from identity_tracking.identifiers import Kind, Ref, names
from identity_tracking.messages import Message, Relation, Type, object_ref
from identity_tracking.models import Activity, Person
from tests.factories import START

_number = count()


def hour(at: float) -> datetime:
    """The ``at``-th hour of all stories told here; the rules' X@3 is ``at=3``."""
    return START + timedelta(hours=at)


def message(
    type: Type,
    *,
    at: float = 0,
    id: Any = None,
    email: Any = None,
    anonymous_id: Any = None,
    cio_id: Any = None,
    previous: str | None = None,
    trusted: bool = False,
    email_trusted: bool | None = None,
    message_id: str | None = None,
    **rest: Any,
) -> Message:
    """A message at an hour; a trusted one has its email proven too, unless told otherwise."""
    return Message(
        type=type,
        names=names(id=id, email=email, anonymous_id=anonymous_id, cio_id=cio_id),
        source=rest.pop("source", "shop"),
        message_id=message_id or f"said-{next(_number)}",
        timestamp=hour(at),
        received_at=rest.pop("received_at", hour(at)),
        trusted=trusted,
        email_trusted=trusted if email_trusted is None else email_trusted,
        previous=Ref(Kind.ANONYMOUS_ID, previous) if previous else None,
        **rest,
    )


identify = partial(message, Type.IDENTIFY)
page = partial(message, Type.PAGE)
track = partial(message, Type.TRACK, name="added_to_cart")
alias = partial(message, Type.ALIAS)


def relate(object_id: str, *, present: bool = True, role: Any = None, **rest: Any) -> Message:
    relation = Relation(
        object=object_ref("company", object_id),
        present=present,
        attributes={"role": role} if role else {},
    )
    return message(Type.RELATE, relations=(relation,), **rest)


def called(person: Person | None) -> str | None:
    """A person's id, or a lead's email, or None."""
    return (person.user_id or person.email) if person else None


def owner(said: Message) -> str | None:
    """Whose activity a message became."""
    return called(Activity.objects.get(pk=said.key).person)


def owners(*said: Message) -> list[str | None]:
    return [owner(one) for one in said]


def person(**who: Any) -> Person:
    found = Person.objects.find(**who)
    assert found is not None
    return found
