"""Why is an identifier a person's? The messages, and the merges, that made it so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Subquery

from identity_tracking.identifiers import Kind
from identity_tracking.models import Claim, Identifier, MergeOperation, Ownership, Person
from identity_tracking.models.operation import naming

IN_ORDER = ("time", "message_id", "trusted", "source")


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Why ``identifier`` is a person's from ``since`` until just before ``until``.

    ``claims``: the message that said so; for a browser that identified by an email, also the one
    that gave the email to the id. None: it is what the person is known by. Each has ``activity``,
    ``time``, ``trusted`` and ``firm``. ``merges``: the live merges that joined whose it was.
    """

    identifier: Identifier
    since: datetime
    until: datetime
    claims: tuple[Claim, ...]
    merges: tuple[MergeOperation, ...]


def why(
    person: Person,
    using: str,
    *,
    explained: int | None = None,
    merges: Sequence[MergeOperation] | None = None,
) -> list[Reason]:
    """Return why each identifier is ``person``'s, ids first; in 4 queries.

    ``explained``: of how many, from the first on, to look up the claims; None: of all.
    ``merges``: all that name the person, where they are known; they are asked for else.
    """
    component = set(person.component)
    stretches = list(
        Ownership.objects.using(using)
        .of(component)
        .select_related("identifier")
        .order_by("-identifier__kind", "identifier__value", "since")
    )
    decisive = _decisive(stretches[:explained], using)
    onward = _onward(stretches, decisive)
    if merges is None:
        merges = list(MergeOperation.objects.using(using).live().filter(naming(component)))
    live = [merge for merge in merges if merge.undone_at is None]
    return [
        Reason(
            identifier=one.identifier,
            since=one.since,
            until=one.until,
            claims=_chain(decisive.get(one.pk), onward),
            merges=tuple(merge for merge in live if _joins(merge, one)),
        )
        for one in stretches
    ]


def _decisive(stretches: Sequence[Ownership], using: str) -> dict[int, Claim]:
    """Return the claim that gives each stretch: the last at its start, else the first after."""
    claims = Claim.objects.using(using).counting().filter(weak=OuterRef("identifier"))
    last = claims.filter(time__lte=OuterRef("since")).order_by(*(f"-{one}" for one in IN_ORDER))
    first = claims.filter(time__gt=OuterRef("since")).order_by(*IN_ORDER)
    rows = (
        Ownership.objects.using(using)
        .filter(pk__in=[one.pk for one in stretches])
        .values_list("pk", Subquery(last.values("pk")[:1]), Subquery(first.values("pk")[:1]))
    )
    chosen = {stretch: before or after for stretch, before, after in rows if before or after}
    said = Claim.objects.using(using).select_related("activity", "target").in_bulk(chosen.values())
    return {stretch: said[claim] for stretch, claim in chosen.items()}


def _onward(stretches: Sequence[Ownership], decisive: Mapping[int, Claim]) -> dict[int, Claim]:
    """Return for each claim for an email the claim by which that email was somebody's then.

    It was the person's own then, or the browser were not: so its stretch is among ``stretches``.
    """
    emails: dict[UUID, list[Ownership]] = {
        claim.target_id: [] for claim in decisive.values() if claim.target.kind == Kind.EMAIL
    }
    for one in stretches:
        is_claimed = one.pk in decisive and one.person_id != one.identifier_id
        if is_claimed and one.identifier_id in emails:
            emails[one.identifier_id].append(one)
    return {
        claim.pk: decisive[one.pk]
        for claim in decisive.values()
        for one in emails.get(claim.target_id, ())
        if one.since <= claim.time < one.until
    }


def _chain(claim: Claim | None, onward: dict[int, Claim]) -> tuple[Claim, ...]:
    if claim is None:
        return ()
    return (claim, onward[claim.pk]) if claim.pk in onward else (claim,)


def _joins(merge: MergeOperation, stretch: Ownership) -> bool:
    sides: set[UUID] = {merge.primary_id, merge.secondary_id}
    return bool(sides & {stretch.person_id, stretch.after_id})
