"""Tell what the rules decided and a person should look at (R12). Each conflict is told once."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from uuid import UUID

from django.utils import timezone

from identity_tracking.identifiers import digest
from identity_tracking.identity.folding import has_too_many_people
from identity_tracking.messages import Message
from identity_tracking.models import Claim, Conflict, Identifier
from identity_tracking.models.conflict import Code

PASSING = (Code.EMAIL_OF_TWO_IDS, Code.EMAIL_NOT_COUNTED, Code.TOO_MANY_PEOPLE)
REFUSALS = {"cio_id": Code.UNKNOWN_CIO_ID, "link": Code.LINK_ELSEWHERE}


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
        found_at=timezone.now(),
    )
    Conflict.objects.using(using).bulk_create([conflict], ignore_conflicts=True)


def tell_refused(messages: Sequence[Message], using: str) -> None:
    """Tell of identifiers that could not be used, beside one that could."""
    for message in messages:
        for name in message.names.refused:
            code = REFUSALS.get(name, Code.IDENTIFIER_REFUSED)
            tell(code, message.head.key, using, activity=message.key, detail=name)


def tell_emails(emails: Iterable[Identifier], using: str) -> None:
    """Tell of emails that two ids use, and of claims to an email that do not count."""
    for email in {email.pk: email for email in emails}.values():
        claims = Claim.objects.using(using).filter(weak=email).order_by()
        rows = list(claims.values_list("target", "firm").distinct())
        firm = {target for target, is_firm in rows if is_firm}
        soft = {target for target, is_firm in rows if not is_firm}
        counting = firm or (set() if email.known else soft)
        told: set[tuple[Code, UUID | None]] = {
            (Code.EMAIL_NOT_COUNTED, target) for target in soft - counting
        }
        if len(counting) > 1:
            told.add((Code.EMAIL_OF_TWO_IDS, None))
        withdraw(email.pk, using, but={_key(code, email.pk, other) for code, other in told})
        for code, other in told:
            tell(code, email.pk, using, other=other)


def tell_visitor(visitor: Identifier, using: str) -> None:
    """Tell of a browser that was claimed for too many people."""
    if has_too_many_people(visitor, using):
        tell(Code.TOO_MANY_PEOPLE, visitor.pk, using)
    else:
        withdraw(visitor.pk, using)


def withdraw(identifier: UUID, using: str, *, but: Collection[UUID] = ()) -> None:
    """Forget what no longer holds of ``identifier``, so that arrival order leaves no trace."""
    conflicts = Conflict.objects.using(using).filter(identifier=identifier, code__in=PASSING)
    conflicts.exclude(pk__in=but).delete()


def _key(code: Code, identifier: UUID, *subject: UUID | str | None) -> UUID:
    parts = [str(part or "") for part in subject]
    return digest(code, str(identifier), *parts, *[""] * (3 - len(parts)))
