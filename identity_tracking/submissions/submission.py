"""One submission of a form: what of it is taken, and the message that it makes.

Who it is from, by docs/identity.md:

1. of a browser that is somebody's already: theirs, and an email that they type changes nobody;
2. else the id, of a trusted sender alone, and the email, by the fields that give them;
3. else the browser, as an anonymous visitor; without one it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, TypeAlias

from identity_tracking.exceptions import InvalidIdentifier, InvalidMessage
from identity_tracking.form_fields import KEYWORDS, NAMING, Role, may_be_taken, usual_role
from identity_tracking.identifiers import Kind, Names, is_email, names
from identity_tracking.ingest.context import MAX_URL, clean_url
from identity_tracking.messages import Message, Type, clean_message_id
from identity_tracking.payloads import MAX_NAME, Json, clean_mapping, clean_text

MOST_TOLD = 10  # emails


class Meaning(NamedTuple):
    """What a field gives, and of an attribute its name."""

    role: Role
    attribute: str


Meanings: TypeAlias = Mapping[str, Meaning]


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """One form, filled in. ``current``: who the browser is that sent it, as far as it says.

    ``name`` and ``url`` are the form's, as the submission tells them. ``timestamp``: when it was
    filled in, where that is known better than by when it came.
    """

    form_id: str
    data: Mapping[str, Json]
    source: str
    trusted: bool
    received_at: datetime
    message_id: str
    name: str = ""
    url: str = ""
    current: Names = field(default_factory=Names)
    context: Mapping[str, Json] = field(default_factory=dict)
    timestamp: datetime | None = None

    def message(self, meanings: Meanings, name: str = "") -> Message:
        """Return the message that it is. Raises InvalidIdentifier where it is nobody's.

        ``name``: what the form is called here.
        """
        called = self.called(meanings)
        if not (called.head or called.cio_id):
            raise InvalidIdentifier("No field says who it is.", code="no_identifier")
        return Message(
            type=Type.FORM,
            names=called,
            source=self.source,
            message_id=self.message_id,
            timestamp=self.timestamp or self.received_at,
            received_at=self.received_at,
            trusted=self.trusted,
            email_trusted=self.trusted,
            name=name or self.name or self.form_id,
            properties=self.data,
            assigns=dict(self._assignments(meanings)),
            context={**self.context, "form": {"id": self.form_id}},
        )

    def called(self, meanings: Meanings) -> Names:
        """Return whom it is from."""
        current = self.current
        if current.head and current.head.kind is not Kind.ANONYMOUS_ID:
            return Names.of(current.head)
        own = self._given(Role.ID, meanings) if self.trusted else None
        browser = current.anonymous_id.value if current.anonymous_id else None
        return names(id=own, email=self._given(Role.EMAIL, meanings), anonymous_id=browser)

    def has(self, email: str) -> bool:
        """Say whether ``email`` was typed into it."""
        texts = (value for value in self.data.values() if isinstance(value, str))
        return any(text.strip().lower() == email for text in texts)

    def _given(self, role: Role, meanings: Meanings) -> Json:
        """Return the first that a field with ``role`` gives, and that names somebody."""
        kind = "id" if role is Role.ID else "email"
        for name, value in self.data.items():
            if _meaning(name, meanings).role is role:
                called = names(**{kind: value})
                if called.head or called.cio_id:
                    return value
        return None

    def _assignments(self, meanings: Meanings) -> Iterator[tuple[str, str]]:
        """Give each attribute with the field that it is from: of two fields, the first."""
        taken = {*NAMING, *KEYWORDS}
        for name, value in self.data.items():
            role, attribute = _meaning(name, meanings)
            if role is Role.ATTRIBUTE and attribute not in taken and value not in ("", None, []):
                taken.add(attribute)
                yield attribute, name


def read(form_id: Any, data: Any, *, url: str = "", **known: Any) -> Submission:
    """Return what is taken of a form that was filled in. Raises InvalidMessage.

    ``url``: the page it was on, unless it tells that itself. ``known``: the other fields of a
    Submission.
    """
    form = clean_form_id(form_id)
    if not isinstance(data, Mapping):
        raise InvalidMessage('A form has "data", an object.', code="invalid_data")
    known["message_id"] = clean_message_id(known.get("message_id"))
    return Submission(
        form_id=form,
        data=clean_mapping(taken(data)),
        name=_text(data.get("form_name"))[:MAX_NAME],
        url=clean_url(_text(data.get("form_url"))) or url,
        **known,
    )


def taken(data: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return the fields that are the form's own: no password, no card, no token."""
    return {name: value for name, value in data.items() if may_be_taken(str(name))}


def clean_form_id(value: Any) -> str:
    """Return which form it is, as text. Raises InvalidMessage."""
    text = clean_text(value, MAX_NAME + 1)
    if not text or len(text) > MAX_NAME:
        raise InvalidMessage(
            f"A form has an id of at most {MAX_NAME} characters.", code="invalid_form_id"
        )
    return text


def kept(form_id: Any, data: Any, current: Names, url: str = "") -> dict[str, Json]:
    """Return a submission that cannot be accepted as it is kept, for ``read_again``.

    ``mentions``: emails anywhere in it, where an erasure looks for them.
    """
    fields = taken(data) if isinstance(data, Mapping) else None
    texts = [one for one in (fields or {}).values() if isinstance(one, str)]
    emails = [text.strip() for text in texts if is_email(text.strip())][:MOST_TOLD]
    return {
        **{ref.field: ref.value for ref in current.refs},
        "mentions": [{"email": email} for email in emails],
        "form_id": form_id,
        "url": url,
        "data": fields,
    }


def read_again(item: Mapping[str, Any], **known: Any) -> Submission:
    """Return what was ``kept`` as a submission. Raises InvalidMessage.

    ``known``: source, trusted, received_at and message_id, as of the first try.
    """
    called = names(**{one: item.get(one) for one in ("id", "email", "anonymous_id")})
    url = clean_url(_text(item.get("url")))
    context = {"page": {"url": url}} if url else {}
    return read(
        item.get("form_id"), item.get("data"), url=url, current=called, context=context, **known
    )


def _meaning(name: str, meanings: Meanings) -> Meaning:
    return meanings.get(name) or Meaning(usual_role(name), name)


def _text(value: Json) -> str:
    return clean_text(value, MAX_URL) if isinstance(value, str) else ""
