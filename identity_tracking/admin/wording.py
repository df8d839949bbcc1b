"""Conflicts and relationships in words, safe to put on a page. Asks the database nothing."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.values import BRIEF, cut, plain, readable
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.identifiers import Kind
from identity_tracking.messages import Relation, relations
from identity_tracking.models import Conflict, Identifier
from identity_tracking.models.conflict import Code
from identity_tracking.payloads import Json

LONG = 20  # characters: an anonymous id above this is shown by its beginning
BEGINNING = 8  # characters of it

WHAT_HAPPENED: Mapping[str, str | Promise] = {
    Code.IDENTIFIER_REFUSED: _(
        "A message of {identifier} came with an identifier that could not be used: {detail}."
    ),
    Code.UNKNOWN_CIO_ID: _("A message of {identifier} named a cio_id that nobody has."),
    Code.EMAIL_OF_TWO_IDS: _("Two ids use {identifier}: they stay two people."),
    Code.EMAIL_NOT_COUNTED: _(
        "{other} claimed {identifier}, unproven: not counted, as that email is already known."
    ),
    Code.TOO_MANY_PEOPLE: _("{identifier} was claimed for too many people: a shared device."),
    Code.LINK_ELSEWHERE: _(
        "Somebody else's personal link was opened on the browser of {identifier}: nobody was "
        "joined."
    ),
}


def happened(conflict: Conflict) -> SafeString:
    """Return a sentence that says what a conflict is about."""
    sentence = WHAT_HAPPENED.get(conflict.code, "{code}")
    return format_html(
        str(sentence),
        code=plain(conflict.code),
        identifier=_called(conflict.identifier),
        other=_called(conflict.other) if conflict.other else _("somebody"),
        detail=plain(conflict.detail),
    )


def shortened(identifier: Identifier) -> str:
    """Return the value, of a long anonymous id only its beginning."""
    value = plain(identifier.value)
    if identifier.kind != Kind.ANONYMOUS_ID or len(value) <= LONG:
        return value
    return f"{value[:BEGINNING]}…"


def relations_of(value: Json) -> tuple[Relation, ...]:
    """Read relationships as a message holds them; none where the shape is not ours."""
    try:
        return relations(value)
    except InvalidMessage:
        return ()


def attributes_in_words(attributes: Mapping[str, Json]) -> str:
    """Return ``total 32.5, currency EUR``, cut."""
    told = ", ".join(f"{plain(name)} {readable(value, name)}" for name, value in attributes.items())
    return cut(told, 2 * BRIEF)


def _called(identifier: Identifier) -> SafeString:
    kind, value = identifier.get_kind_display(), shortened(identifier)
    return format_html("{} <bdi>{}</bdi>", kind, value)
