"""The forms that there are: each is listed by its first submission, with the fields it has.

Nobody's data is in it, so nothing here is erased: what holds an "@", or hides something, is not
listed. What strangers may list is bounded; a submission counts the same, listed or not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F
from django.utils.timezone import get_default_timezone

from identity_tracking.conf import conf
from identity_tracking.form_fields import Role, usual_role
from identity_tracking.ingest.transaction import in_transaction, reachable
from identity_tracking.models import Form, FormDay, FormField
from identity_tracking.submissions.submission import Meaning, Meanings, Submission

FORMS = {True: 2_000, False: 200}  # of a trusted sender, and of strangers
FIELDS = {True: 300, False: 60}  # of one form
DAYS = 90  # of which it is kept how often a form was submitted


class Known(NamedTuple):
    """What is known of a form: its row, if it is listed, and its fields by name."""

    form: Form | None
    fields: Mapping[str, FormField]

    @property
    def name(self) -> str:
        return self.form.name if self.form else ""

    @property
    def meanings(self) -> Meanings:
        """What its fields give."""
        return {
            name: Meaning(Role(field.role), field.attribute or name)
            for name, field in self.fields.items()
        }


def look_up(submission: Submission, using: str) -> Known:
    """Return what is known of a submission's form. Raises Unavailable."""
    key = Form.key(submission.source, submission.form_id)
    with reachable(using):
        form = Form.objects.using(using).filter(pk=key).first()
        fields = FormField.objects.using(using).filter(form=key)
        return Known(form, {field.name: field for field in fields} if form else {})


def note(submission: Submission, using: str) -> Known:
    """List the form of a submission, and the fields that it had not yet; count it.

    In a transaction of its own, before anything else is stored: so a form is listed also where
    the submission is refused. Returns what was known before. Raises Unavailable.
    """
    known = look_up(submission, using)
    if known.form or _has_room(submission, using):
        in_transaction(partial(_write, submission, known, using), using)
    return known


def _has_room(submission: Submission, using: str) -> bool:
    if not _listable(submission.form_id):
        return False
    with reachable(using):
        listed = Form.objects.using(using).filter(trusted=submission.trusted)
        return listed.count() < FORMS[submission.trusted]


def _write(submission: Submission, known: Known, using: str) -> None:
    forms = Form.objects.using(using)
    key = Form.key(submission.source, submission.form_id)
    if known.form is None:
        forms.bulk_create([_form(key, submission)], ignore_conflicts=True)
    elif changes := _changes(known.form, submission):
        forms.filter(pk=key).update(**changes)
    if fields := _new_fields(key, submission, known):
        FormField.objects.using(using).bulk_create(fields, ignore_conflicts=True)
    day = submission.received_at.astimezone(get_default_timezone()).date()
    _count(key, day, using)


def _form(key: UUID, submission: Submission) -> Form:
    return Form(
        pk=key,
        source=submission.source,
        form_id=submission.form_id,
        name=_listable(submission.name),
        url=_listable(submission.url),
        trusted=submission.trusted,
        first_seen=submission.received_at,
        last_seen=submission.received_at,
    )


def _changes(form: Form, submission: Submission) -> dict[str, Any]:
    """Return what is new of a form: strangers only say what nobody has said yet."""
    told = {"name": _listable(submission.name), "url": _listable(submission.url)}
    changes: dict[str, Any] = {
        field: value for field, value in told.items() if value and not getattr(form, field)
    }
    coarse = timedelta(seconds=conf.LAST_SEEN_EVERY)
    if submission.received_at > form.last_seen + coarse:
        changes["last_seen"] = submission.received_at
    return changes


def _new_fields(form: UUID, submission: Submission, known: Known) -> Sequence[FormField]:
    room = max(0, FIELDS[submission.trusted] - len(known.fields))
    names = [name for name in submission.data if name not in known.fields and _listable(name)]
    fields = [
        FormField(pk=FormField.key(form, name), form_id=form, name=name, role=usual_role(name))
        for name in names[:room]
    ]
    return sorted(fields, key=lambda field: field.pk)


def _count(form: UUID, day: date, using: str) -> None:
    days = FormDay.objects.using(using)
    row = days.filter(pk=FormDay.key(form, day))
    if not row.update(submissions=F("submissions") + 1):
        days.filter(form=form, day__lt=day - timedelta(days=DAYS)).delete()
        days.bulk_create(
            [FormDay(pk=FormDay.key(form, day), form_id=form, day=day)], ignore_conflicts=True
        )
        row.update(submissions=F("submissions") + 1)


def _listable(text: str) -> str:
    return text if text.isprintable() and "@" not in text else ""
