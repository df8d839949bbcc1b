"""Take a submission: list its form, and process the message that it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from identity_tracking.identifiers import Names
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database
from identity_tracking.messages import Message, Outcome
from identity_tracking.submissions.registry import look_up, note
from identity_tracking.submissions.submission import Submission


def submit(submission: Submission) -> Message:
    """Store a submission; when it returns outside a transaction, all of it is committed.

    Returns the message that it was. Raises InvalidIdentifier where it is nobody's, though its
    form is listed, and Unavailable, and then nothing of it was stored.
    """
    known = note(submission, database())
    message = submission.message(known.meanings, known.name)
    process([message])
    return message


def messages_of(submissions: Iterable[Submission]) -> list[Message]:
    """Return the messages that submissions are, as their forms are read by now.

    Whose one of them makes a browser, theirs are those that follow.
    """
    using = database()
    became: dict[Names, Names] = {}
    messages = []
    for submission in submissions:
        current = became.get(submission.current, submission.current)
        form = look_up(submission, using)
        message = replace(submission, current=current).message(form.meanings, form.name)
        messages.append(message)
        browser, owner = submission.current.head, message.names.head
        if browser and owner:
            became[submission.current] = Names.of(owner)
    return messages


def submit_again(submission: Submission) -> list[Outcome]:
    """Process a submission that was refused before, as its form is read now. Raises as above."""
    return process(messages_of([submission]))
