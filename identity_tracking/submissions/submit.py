"""Take a submission: list its form, and process the message that it is."""

from __future__ import annotations

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


def submit_again(submission: Submission) -> list[Outcome]:
    """Process a submission that was refused before, as its form is read now. Raises as above."""
    known = look_up(submission, database())
    return process([submission.message(known.meanings, known.name)])
