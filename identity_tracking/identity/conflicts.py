"""Tell what the rules decided and a person should look at (R12). Each conflict is told once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

from django.utils import timezone

from identity_tracking.identifiers import digest
from identity_tracking.identity.folding import has_too_many_people
from identity_tracking.messages import Message
from identity_tracking.models import Claim, Conflict, Identifier
from identity_tracking.models.conflict import Code

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
    subject = [str(identifier), str(other or ""), str(activity or ""), detail]
    conflict = Conflict(
        pk=digest(code, *subject),
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
        if len(counting) > 1:
            tell(Code.EMAIL_OF_TWO_IDS, email.pk, using)
        for target in sorted(soft - counting):
            tell(Code.EMAIL_NOT_COUNTED, email.pk, using, other=target)


def tell_visitor(visitor: Identifier, using: str) -> None:
    """Tell of a browser that was claimed for too many people."""
    if has_too_many_people(visitor, using):
        tell(Code.TOO_MANY_PEOPLE, visitor.pk, using)
