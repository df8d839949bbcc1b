"""Identify who had an account before this app came: one message for each user, safe to repeat."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from identity_tracking.conf import conf
from identity_tracking.identifiers import digest, names
from identity_tracking.messages import RELATIONSHIPS, Message, Type, relations
from identity_tracking.payloads import clean_mapping


def message_of(user: Any) -> Message | None:
    """Return the identify of ``user``, by the settings USER_ID, USER_ATTRIBUTES, EMAIL_VERIFIED.

    None where neither gives a usable id or email; an email alone proves who it is if it is
    verified. Its message id says what is said of whom: so the same again is a duplicate, and what
    has changed is new. Raises InvalidMessage for attributes that cannot be kept.
    """
    attributes = clean_mapping(conf.ask("USER_ATTRIBUTES", user))
    called = names(id=conf.ask("USER_ID", user), email=attributes.pop("email", None))
    if called.head is None:
        return None
    verified = called.email is not None and bool(conf.ask("EMAIL_VERIFIED", user))
    said = [user.pk, *(ref.value for ref in called.refs), verified, attributes]
    now = datetime.now(UTC)
    return Message(
        type=Type.IDENTIFY,
        names=called,
        source=conf.SITE_ID,
        message_id=f"user-{digest(json.dumps(said, sort_keys=True, default=str))}",
        timestamp=now,
        received_at=now,
        trusted=called.id is not None or verified,
        email_trusted=verified,
        relations=relations(attributes.pop(RELATIONSHIPS, None)),
        properties=attributes,
    )
