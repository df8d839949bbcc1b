"""Tell what the rules decided and a person should look at (R12). Each conflict is told once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from identity_tracking.identifiers import digest
from identity_tracking.identity.folding import has_too_many_people
from identity_tracking.messages import Message
from identity_tracking.models import Claim, Conflict, Identifier
from identity_tracking.models.conflict import Code
from identity_tracking.models.removal import remove

PASSING = (Code.EMAIL_OF_TWO_IDS, Code.EMAIL_NOT_COUNTED, Code.TOO_MANY_PEOPLE)
REFUSALS = {"cio_id": Code.UNKNOWN_CIO_ID, "link": Code.LINK_ELSEWHERE}


class _Claim(NamedTuple):
    """A claim, in the order of messages."""

    time: datetime
    message_id: str
    trusted: bool
    source: str
    activity: UUID


def tell(
    code: Code,
    identifier: UUID,
    using: str,
    *,
    other: UUID | None = None,
    activity: UUID | None = None,
    detail: str = "",
) -> None:
    """Keep a conflict of ``identifier``, with the other one and the message it concerns."""
    conflict = Conflict(
        pk=_key(code, identifier, other, activity, detail),
        code=code,
        identifier_id=identifier,
        other_id=other,
        activity_id=activity,
        detail=detail,
        found_at=datetime.now(UTC),
    )
    Conflict.objects.using(using).bulk_create([conflict], ignore_conflicts=True)


def tell_refused(messages: Sequence[Message], using: str) -> None:
    """Tell of identifiers that could not be used, beside one that could."""
    for message in messages:
        for name in message.refused:
            code = REFUSALS.get(name, Code.IDENTIFIER_REFUSED)
            tell(code, message.head.key, using, activity=message.key, detail=name)


def tell_emails(emails: Iterable[Identifier], using: str) -> None:
    """Tell of emails that two ids use, and of claims to an email that do not count."""
    for email in {email.pk: email for email in emails}.values():
        soft, firm = (_first_claims(email, using, firm=firm) for firm in (False, True))
        counting = firm or ({} if email.known else soft)
        others = sorted(counting, key=counting.__getitem__)[1:]
        told = [
            *((Code.EMAIL_OF_TWO_IDS, other, counting[other]) for other in others),
            *((Code.EMAIL_NOT_COUNTED, other, soft[other]) for other in soft.keys() - counting),
        ]
        keys = [_key(code, email.pk, other, claim.activity) for code, other, claim in told]
        withdraw(email.pk, using, but=keys)
        for code, other, claim in told:
            tell(code, email.pk, using, other=other, activity=claim.activity)


def _first_claims(email: Identifier, using: str, *, firm: bool) -> dict[UUID, _Claim]:
    """Return the first claim on ``email`` for each id, those that are ``firm`` or the others.

    One query finds the ids, which are few, and one for each its first claim.
    """
    claims = Claim.objects.using(using).standing().filter(weak=email, firm=firm)
    columns = "time", "message_id", "trusted", "source", "activity"
    first = {}
    for target in set(claims.order_by().values_list("target", flat=True).distinct()):
        rows = claims.filter(target=target)
        earliest = rows.filter(time=rows.order_by("time").values("time")[:1])
        first[target] = min(_Claim(*row) for row in earliest.values_list(*columns))
    return first


def tell_visitor(visitor: Identifier, using: str) -> None:
    """Tell of a browser that was claimed for too many people."""
    if has_too_many_people(visitor, using):
        tell(Code.TOO_MANY_PEOPLE, visitor.pk, using)
    else:
        withdraw(visitor.pk, using)


def withdraw(identifier: UUID, using: str, *, but: Collection[UUID] = ()) -> None:
    """Forget what no longer holds of ``identifier``, so that arrival order leaves no trace."""
    conflicts = Conflict.objects.using(using).filter(identifier=identifier, code__in=PASSING)
    remove(conflicts.exclude(pk__in=but))


def _key(code: Code, identifier: UUID, *subject: UUID | str | None) -> UUID:
    parts = [str(part or "") for part in subject]
    return digest(code, str(identifier), *parts, *[""] * (3 - len(parts)))
