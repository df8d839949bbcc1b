"""Forms that a browser fills in: who it is by then, and what it remembers of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from identity_tracking.exceptions import Unavailable
from identity_tracking.identifiers import Kind, Names, names
from identity_tracking.ingest.transaction import database
from identity_tracking.messages import Message, Outcome
from identity_tracking.models import Person
from identity_tracking.submissions.registry import note
from identity_tracking.submissions.submission import Submission
from identity_tracking.visitor import Visitor

logger = logging.getLogger(__name__)


def current(visitor: Visitor) -> Names:
    """Return who a browser is already: by its session, else as it says itself."""
    called = names(id=visitor.claimed_id, anonymous_id=visitor.cookie_anonymous_id)
    if visitor.has_session:
        called, _ = visitor.who(called)
    return resolved(called)


def resolved(called: Names) -> Names:
    """Return ``called`` with the identifier in the place of a cio_id; without one nobody has."""
    if not called.cio_id:
        return called
    people = Person.objects.using(database()).select_related("anchor")
    person = people.by_cio_id(called.cio_id)
    return Names.of(person.anchor.ref) if person else replace(called, cio_id=None)


def remember(visitor: Visitor, submission: Submission, message: Message) -> None:
    """Let the browser remember whom a form identified: nobody, where it was somebody's already."""
    if message.head.kind is Kind.EMAIL and not submission.current.email:
        visitor.become(message.head.value)


def stored(
    visitor: Visitor,
    submissions: Sequence[Submission],
    messages: Sequence[Message],
    outcomes: Sequence[Outcome],
) -> None:
    """List the forms of what was new among ``messages``, which ``submissions`` became.

    All is stored by then: that a form cannot be listed is only logged.
    """
    for submission, message, outcome in zip(submissions, messages, outcomes, strict=True):
        if outcome is not Outcome.STORED:
            continue
        remember(visitor, submission, message)
        try:
            note(submission, database())
        except Unavailable:
            logger.warning("A form could not be listed.", exc_info=True)
