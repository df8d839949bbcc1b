"""Write many simple browsers' messages at once: the very rows that ``process`` would write.

Only for a demo's crowd: nobody is told of it by a signal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from example_project.browsing import Browser
from identity_tracking.identifiers import Kind, Ref
from identity_tracking.identity.registers import Registers, join, shown, written
from identity_tracking.identity.rules import Assertion, assertions, proves_email
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database
from identity_tracking.messages import DOING, Message, Outcome, Type, moment
from identity_tracking.models import Activity, Claim, Identifier, Ownership, Person
from identity_tracking.models.identifier import BEGINNING, END
from identity_tracking.models.person import new_person
from identity_tracking.privacy.suppression import suppressed


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """What one browser sent, of which one message at most says who it is."""

    messages: Sequence[Message]
    claims: Sequence[Assertion]
    times: dict[Ref, list[datetime]]  # when each identifier was mentioned

    @classmethod
    def of(cls, browser: Browser) -> Visit:
        times: dict[Ref, list[datetime]] = {}
        for message in browser.messages:
            for ref in message.refs:
                times.setdefault(ref, []).append(message.timestamp)
        claims = [claim for message in browser.messages for claim in assertions(message)]
        return cls(messages=browser.messages, claims=claims, times=times)

    @property
    def is_simple(self) -> bool:
        """Whether it is of one visitor and at most one person, who does nothing out of the way."""
        said = [message for message in self.messages if message.type not in DOING]
        kinds = Counter(ref.kind for ref in self.times)
        return (
            len(said) <= 1
            and all(one.type is Type.IDENTIFY and not _is_special(one) for one in said)
            and all(number == 1 for number in kinds.values())
        )

    def owner(self, ref: Ref) -> Ref | None:
        """Return whose ``ref`` is, ever; None: a visitor still anonymous."""
        for claim in self.claims:
            if claim.weak == ref:
                return self.owner(claim.target)
        return None if ref.kind is Kind.ANONYMOUS_ID else ref

    def registers(self, ref: Ref) -> Registers | None:
        wrote = [written(one) for one in self.messages if one.writes and one.head == ref]
        return join(wrote) if wrote else None


def write(browsers: Sequence[Browser]) -> int:
    """Store what ``browsers`` sent, in one transaction; return how many messages were new.

    Whoever is known already, was erased, shares an identifier or is not simple goes through
    ``process``: so it is safe to repeat.
    """
    using = database()
    visits = [Visit.of(browser) for browser in browsers]
    with transaction.atomic(using=using):
        new = _unheard_of(visits, using)
        simple: list[Visit] = []
        others: list[Visit] = []
        for visit in visits:
            fits = visit.is_simple and new.issuperset(visit.times)
            (simple if fits else others).append(visit)
        _write(simple, using)
        messages = sorted(_messages(others), key=lambda message: message.order)
        stored = process(messages).count(Outcome.STORED)
    return len(_messages(simple)) + stored


def _messages(visits: Iterable[Visit]) -> list[Message]:
    return [message for visit in visits for message in visit.messages]


def _is_special(message: Message) -> bool:
    return bool(message.relations or message.refused or message.accepted or proves_email(message))


def _unheard_of(visits: Sequence[Visit], using: str) -> set[Ref]:
    """Return the identifiers of one visit each that are neither known nor refused."""
    mentioned = Counter(ref for visit in visits for ref in visit.times)
    known = set(
        Identifier.objects.using(using)
        .filter(pk__in=[ref.key for ref in mentioned])
        .values_list("pk", flat=True)
    )
    messages = _messages(visits)
    refused = {
        ref
        for index in suppressed([[one] for one in messages], (), using)[0]
        for ref in messages[index].refs
    }
    return {
        ref
        for ref, visits_by in mentioned.items()
        if visits_by == 1 and ref not in refused and ref.key not in known
    }


def _write(visits: Sequence[Visit], using: str) -> None:
    activities = [Activity.from_message(message) for message in _messages(visits)]
    Activity.objects.using(using).insert_new(activities)
    Identifier.objects.using(using).bulk_create(
        [row for visit in visits for row in _identifiers(visit)]
    )
    Person.objects.using(using).bulk_create([row for visit in visits for row in _people(visit)])
    Ownership.objects.using(using).bulk_create(
        [row for visit in visits for row in _ownership(visit)]
    )
    Claim.objects.using(using).bulk_create([row for visit in visits for row in _claims(visit)])


def _identifiers(visit: Visit) -> Iterable[Identifier]:
    for ref, times in visit.times.items():
        yield Identifier(
            pk=ref.key,
            kind=ref.kind,
            value=ref.value,
            registers=visit.registers(ref),
            created_at=min(times),
        )


def _people(visit: Visit) -> Iterable[Person]:
    for ref, times in visit.times.items():
        if ref.kind is Kind.ANONYMOUS_ID:
            continue
        person = new_person(ref, min(times), max(times))
        if (owner := visit.owner(ref)) == ref:
            _show(person, ref, visit)
        else:
            person.root_id = owner and owner.key
        yield person


def _show(person: Person, ref: Ref, visit: Visit) -> None:
    """Give a person what they wrote, their email, and the times of all that is theirs."""
    told = shown(visit.registers(ref) or {})
    attributes = dict(told.attributes)
    person.created_at = moment(attributes.pop("created_at", None))
    person.attributes, person.provenance = attributes, told.provenance
    emails = (one for one in visit.times if one.kind is Kind.EMAIL and visit.owner(one) == ref)
    person.email = next((one.value for one in emails), None)
    mine = [one.timestamp for one in visit.messages if visit.owner(one.head) == ref]
    person.first_seen, person.last_seen = min(mine), max(mine)


def _ownership(visit: Visit) -> Iterable[Ownership]:
    for ref in visit.times:
        if owner := visit.owner(ref):
            yield Ownership(identifier_id=ref.key, since=BEGINNING, until=END, person_id=owner.key)


def _claims(visit: Visit) -> Iterable[Claim]:
    for message in visit.messages:
        for claim in assertions(message):
            yield Claim.from_message(message, **claim._asdict())
