"""Forms that a browser fills in: who it is by then, and what it remembers of it."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from identity_tracking.exceptions import Unavailable
from identity_tracking.identifiers import Kind, Names, is_email, names
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
    """Return ``called`` with the identifier in the place of a cio_id; without one nobody has.

    A browser that says no more is whose it became: an answer that came late, or to a page of
    another origin, could not have it remember.
    """
    people = Person.objects.using(database()).select_related("anchor")
    if called.cio_id:
        person = people.by_cio_id(called.cio_id)
    elif called.head and called.head.kind is Kind.ANONYMOUS_ID:
        person = people.owner(called.head)
    else:
        return called
    return Names.of(person.anchor.ref) if person else replace(called, cio_id=None)


def remember(visitor: Visitor, submission: Submission, message: Message) -> None:
    """Let the browser remember whom a form identified: nobody, where it was somebody's already.

    An email without a domain would be read as an id: by that the browser is not called.
    """
    head = message.head
    if head.kind is not Kind.EMAIL or not is_email(head.value):
        return
    if not submission.current.email or (not visitor.claimed_id and submission.has(head.value)):
        visitor.become(head.value)


def stored(
    visitor: Visitor,
    submissions: Sequence[Submission],
    messages: Sequence[Message],
    outcomes: Sequence[Outcome],
) -> None:
    """List the forms of what was new among ``messages``, which ``submissions`` became.

    All is stored by then: that a form cannot be listed is only logged. The browser remembers
    also who was erased: else its cookies would tell a stranger who that is.
    """
    for submission, message, outcome in zip(submissions, messages, outcomes, strict=True):
        if outcome is not Outcome.DUPLICATE:
            remember(visitor, submission, message)
        if outcome is not Outcome.STORED:
            continue
        try:
            note(submission, database())
        except Unavailable:
            logger.warning("A form could not be listed.", exc_info=True)
