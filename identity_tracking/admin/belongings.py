"""A person's identifiers, each with why it is theirs: the messages and merges that made it so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.readonly import page_of
from identity_tracking.admin.sections import ROWS, Stretch, stretch
from identity_tracking.admin.wording import shortened
from identity_tracking.identifiers import Kind
from identity_tracking.identity.why import Reason
from identity_tracking.messages import Type
from identity_tracking.models import Claim, Identifier, MergeOperation, Person

STRETCHES = 10  # of one identifier that are shown


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """A stretch of time in which an identifier is a person's, and why."""

    stretch: Stretch
    claims: Sequence[Claim]
    merges: Sequence[MergeOperation]

    @property
    def is_ever(self) -> bool:
        return self.stretch == Stretch(since=None, until=None)

    @property
    def message(self) -> str | Promise:
        """What sort of message gave it to the person."""
        said = self.claims[0].activity.type if self.claims else ""
        return Type(said).label if said in Type.values else _("message")


@dataclass(frozen=True, kw_only=True, slots=True)
class Belonging:
    """An identifier of a person."""

    identifier: Identifier
    name: str
    link: str
    is_own: bool
    is_shown_email: bool
    held: Sequence[Held]
    more_held: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Belongings:
    """The first ROWS identifiers of a person, and how many there are."""

    shown: Sequence[Belonging]
    total: int

    @property
    def more(self) -> int:
        return self.total - len(self.shown)

    @property
    def identified_by(self) -> set[UUID]:
        """The activities that made them theirs."""
        held = (stretch for one in self.shown for stretch in one.held)
        return {stretch.claims[0].activity_id for stretch in held if stretch.claims}


def belongings(reasons: Sequence[Reason], person: Person, total: int) -> Belongings:
    """Return what ``reasons``, in order of identifiers, say of ``person``, who has ``total``."""
    by_identifier = groupby(reasons, key=lambda reason: reason.identifier)
    grouped = [(identifier, list(_held(list(of_one)))) for identifier, of_one in by_identifier]
    shown = [_belonging(identifier, held, person) for identifier, held in grouped[:ROWS]]
    return Belongings(shown=shown, total=total)


def _belonging(identifier: Identifier, held: Sequence[Held], person: Person) -> Belonging:
    return Belonging(
        identifier=identifier,
        name=shortened(identifier),
        link=page_of(Identifier, identifier.pk),
        is_own=identifier.pk in person.component,
        is_shown_email=identifier.kind == Kind.EMAIL and identifier.value == person.email,
        held=held[:STRETCHES],
        more_held=max(0, len(held) - STRETCHES),
    )


def _held(reasons: Sequence[Reason]) -> Iterator[Held]:
    """Give the stretches in their order, those that touch as one: by what began it."""
    joined: list[Reason] = []
    for reason in reasons:
        if joined and joined[-1].until != reason.since:
            yield _as_one(joined)
            joined = []
        joined.append(reason)
    yield _as_one(joined)


def _as_one(reasons: Sequence[Reason]) -> Held:
    merges = {merge.pk: merge for reason in reasons for merge in reason.merges}
    return Held(
        stretch=stretch(reasons[0].since, reasons[-1].until),
        claims=reasons[0].claims,
        merges=list(merges.values()),
    )
