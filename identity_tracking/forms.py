"""Django's own forms identify who fills them in, on the server: no script is needed."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from django import forms
from django.core.files import File
from django.core.validators import EMPTY_VALUES
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.form_fields import with_email
from identity_tracking.ingest.context import request_context
from identity_tracking.ingest.transaction import database, reachable
from identity_tracking.models import Person
from identity_tracking.submissions.submission import read
from identity_tracking.submissions.submit import submit
from identity_tracking.submissions.visiting import current, remember
from identity_tracking.visitor import Visitor, harmless

logger = logging.getLogger(__name__)

UNSEEN = frozenset({"hidden", "password", "file"})  # kinds of input whose values are not taken


class IdentifyingForm:
    """A mixin for ``Form`` and ``ModelForm``: ``form.identify(request)`` once it is valid.

    ``class SignUp(IdentifyingForm, forms.Form)``. The submission is kept as an activity; the
    email field says who it is, unless the browser is somebody's already, and the other fields
    become attributes: untrusted, for nobody has proven what was typed.
    """

    identity_form: ClassVar[str] = ""  # what the form is called; else as its class is
    identity_fields: ClassVar[Mapping[str, str | None]] = {}  # field → attribute; None: not taken

    def identify(self, request: HttpRequest) -> Person | None:
        """Keep what a valid form says; return whose it is by now, None where that is nobody.

        For the rules see docs/forms.md. Never raises into the page: what fails is logged.
        Each call is one more submission.
        """
        with harmless("identifying who filled in a form"), reachable(database()):
            visitor = getattr(request, "visitor", None) or Visitor(request)
            return _taken(self, visitor) if visitor.may_be_followed() else None
        return None


def _taken(form: Any, visitor: Visitor) -> Person | None:
    called = current(visitor)
    submission = read(
        form.identity_form or type(form).__name__,
        with_email(_said(form)),
        source=conf.SITE_ID,
        trusted=False,
        received_at=datetime.now(UTC),
        current=called,
        context=request_context(visitor.request),
    )
    try:
        message = submit(submission)
    except InvalidMessage as error:
        logger.warning("A form %s was not kept: %s.", submission.form_id, error.code)
        return None
    remember(visitor, submission, message)
    return Person.objects.using(database()).owner(message.head)


def _said(form: Any) -> dict[str, Any]:
    """Return what was filled in, each under the name of what it becomes."""
    said: dict[str, Any] = {}
    for name, field in form.fields.items():
        called, value = form.identity_fields.get(name, name), form.cleaned_data.get(name)
        unseen = isinstance(value, File) or getattr(field.widget, "input_type", "") in UNSEEN
        if called is None or unseen or value in EMPTY_VALUES:
            continue
        said[called] = _plain(value)
        if isinstance(field, forms.EmailField):
            said.setdefault("email", value)
    return said


def _plain(value: Any) -> Any:
    """Return rows of the database by what they are called."""
    if isinstance(value, Model):
        return str(value)
    return [str(row) for row in value] if isinstance(value, QuerySet) else value
