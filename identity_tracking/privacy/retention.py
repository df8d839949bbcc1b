"""Let go of what was kept long enough, in small bounded steps that can be stopped at any time.

Page views and events go when their time is over. What says who somebody is (identifies, forms,
links, aliases, relationships) and the claims that follow from it stay as long as the person or
the visitor does: whose an activity is, and a person's attributes, are computed from them.
Identifiers that nobody uses any more go with all that is theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from identity_tracking.conf import conf
from identity_tracking.identifiers import Kind
from identity_tracking.identity.deletion import delete_strays
from identity_tracking.messages import DOING
from identity_tracking.models import (
    Activity,
    Claim,
    Conflict,
    Deed,
    FailedEvent,
    Identifier,
    ObjectRelationship,
    Ownership,
)
from identity_tracking.models.identifier import IdentifierQuerySet
from identity_tracking.models.person import owner_of
from identity_tracking.models.removal import remove
from identity_tracking.privacy import suppression, writers

BATCH = 1_000  # rows in one transaction
VISITORS = 200  # whose history is looked at together
REPEATED = timedelta(days=30)  # a client tries for hours; what is left in a queue, for days
LOST = timedelta(days=3)  # a message is stored within seconds, and dated two days back at most


class Kept(StrEnum):
    """What is let go of."""

    FAILED = "failed events"
    ANONYMOUS = "anonymous activities"
    PEOPLE = "activities of people"
    VISITORS = "visitors and devices that nobody uses"
    LOST = "activities of nobody that is left"
    DEEDS = "notes of what was deleted"
    REFUSED = "identifiers of people who were erased"


class Pruned(NamedTuple):
    """One step: how many rows of what went, or would go."""

    what: Kept
    rows: int


def prune(
    using: str, *, now: datetime, limit: int | None = None, dry_run: bool = False
) -> Generator[Pruned]:
    """Delete what is over its time, step by step; each is committed when it is told.

    Stops after ``limit`` rows. Safe to stop, to repeat and to run twice at once: what was done
    is done, and the rest is found again.
    """
    pruning = _Pruning(using, now, limit, dry_run=dry_run)
    for step in pruning.steps():
        for rows in step.rows:
            if rows:
                yield Pruned(step.what, rows)


class _Step(NamedTuple):
    what: Kept
    rows: Iterator[int]


class _Pruning:
    """One run. ``left``: how many rows may still go; ``dropped``: the identifiers that went."""

    def __init__(self, using: str, now: datetime, limit: int | None, *, dry_run: bool) -> None:
        self.using = using
        self.now = now
        self.left = limit
        self.dry_run = dry_run
        self.dropped: dict[UUID, Identifier] = {}

    def steps(self) -> Iterator[_Step]:
        if before := self.before(conf.RETAIN_FAILED):
            failed = FailedEvent.objects.using(self.using).filter(received_at__lt=before)
            yield _Step(Kept.FAILED, self.delete(failed, "received_at"))
        deeds = Deed.objects.using(self.using).filter(done_at__lt=self.now - REPEATED)
        yield _Step(Kept.DEEDS, self.delete(deeds, "done_at"))
        if before := self.before(conf.RETAIN_ANONYMOUS):
            yield _Step(Kept.ANONYMOUS, self.histories_of_visitors(before))
            yield _Step(Kept.ANONYMOUS, self.gaps(before))
            yield _Step(Kept.VISITORS, self.drop(self.visitors(before), before))
        if before := self.before(conf.RETAIN_PEOPLE):
            yield _Step(Kept.PEOPLE, self.delete(self.histories_of_people(before), "timestamp"))
            yield _Step(Kept.VISITORS, self.drop(self.devices(before), before))
        self.bring_back()
        yield _Step(Kept.LOST, self.delete(self.lost(), "timestamp"))
        if suppression.secrets():
            yield _Step(Kept.REFUSED, self.refused())

    def before(self, seconds: int | None) -> datetime | None:
        return None if seconds is None else self.now - timedelta(seconds=seconds)

    def visitors(self, before: datetime) -> QuerySet[Identifier]:
        """Visitors who are nobody's, and were there before that."""
        return self.identifiers().visitors().unowned().filter(created_at__lt=before)

    def devices(self, before: datetime) -> QuerySet[Identifier]:
        """Browsers of people, of which nothing is left but that they were theirs."""
        activities = Activity.objects.using(self.using).filter(identifier=OuterRef("pk"))
        old = self.identifiers().visitors().filter(created_at__lt=before, registers__isnull=True)
        return old.exclude(ownership=None).exclude(Exists(activities))

    def histories_of_visitors(self, before: datetime) -> Iterator[int]:
        """What visitors did; of those who were not back since, all there is."""
        for visitors in self.batches(self.visitors(before), "created_at", VISITORS):
            stale = {visitor.pk for visitor in visitors} - self.in_use(visitors, before)
            old = self.activities(before).filter(identifier__in=[one.pk for one in visitors])
            yield from self.delete(old.filter(Q(type__in=DOING) | Q(identifier__in=stale)))

    def gaps(self, before: datetime) -> Iterator[int]:
        """What was done on a shared browser while it was nobody's."""
        gaps = Ownership.objects.using(self.using).exclude(after=None).filter(since__lt=before)
        for gap in gaps.select_related("person__root", "after__root").iterator():
            if owner_of(gap) is None:
                yield from self.delete(
                    self.activities(before).filter(
                        identifier=gap.identifier_id,
                        timestamp__gte=gap.since,
                        timestamp__lt=gap.until,
                        type__in=DOING,
                    )
                )

    def histories_of_people(self, before: datetime) -> QuerySet[Activity]:
        owned = Ownership.objects.using(self.using).filter(identifier=OuterRef("identifier"))
        return self.activities(before).filter(Exists(owned), type__in=DOING)

    def lost(self) -> QuerySet[Activity]:
        """What was stored while its person was deleted, by a transaction that took too long."""
        identifiers = self.identifiers().filter(pk=OuterRef("identifier"))
        recent = Activity.objects.using(self.using).filter(timestamp__gte=self.now - LOST)
        return recent.exclude(Exists(identifiers))

    def refused(self) -> Iterator[int]:
        """Drop who was made again by a transaction that outlasted their erasure."""
        recent = self.identifiers().filter(kind__in=Kind.values, created_at__gte=self.now - LOST)
        for batch in self.batches(recent, "created_at", BATCH):
            keys = suppression.among([one.pk for one in batch], self.using)
            if not self.dry_run:
                with transaction.atomic(using=self.using):
                    delete_strays(keys, self.using)
            yield self.spent(len(keys))

    def identifiers(self) -> IdentifierQuerySet:
        return Identifier.objects.using(self.using)

    def activities(self, before: datetime) -> QuerySet[Activity]:
        return Activity.objects.using(self.using).filter(timestamp__lt=before)

    def in_use(self, visitors: Collection[Identifier], since: datetime) -> set[UUID]:
        """Which of ``visitors`` did something since then, or were claimed."""
        keys = [visitor.pk for visitor in visitors]
        activities = Activity.objects.using(self.using).filter(timestamp__gte=since)
        claims = Claim.objects.using(self.using).filter(weak__in=keys, time__gte=since)
        active = activities.filter(identifier__in=keys).values_list("identifier", flat=True)
        return {*active.distinct(), *claims.values_list("weak", flat=True).distinct()}

    def delete(self, rows: QuerySet[Any], order: str = "pk") -> Iterator[int]:
        for batch in self.batches(rows.only("pk", order), order, BATCH):
            keys = [row.pk for row in batch[: self.left]]
            if not self.dry_run:
                rows.model._default_manager.using(self.using).filter(pk__in=keys).delete()
            yield self.spent(len(keys))

    def drop(self, candidates: QuerySet[Identifier], before: datetime) -> Iterator[int]:
        """Drop the ``candidates`` that nobody uses any more, with what is known of them."""
        for batch in self.batches(candidates, "created_at", VISITORS):
            unused = {visitor.pk for visitor in batch} - self.in_use(batch, before)
            keys = sorted(unused)[: self.left]
            dropped = keys if self.dry_run else self.dropped_of(keys)
            yield self.spent(len(dropped))

    def dropped_of(self, keys: Collection[UUID]) -> Collection[UUID]:
        """Drop identifiers that have no activity; under their locks, so nobody claims one."""
        with transaction.atomic(using=self.using):
            held = self.identifiers().locked(keys)
            done = Activity.objects.using(self.using).filter(identifier__in=held)
            for key in set(done.values_list("identifier", flat=True)):
                del held[key]
            self.forget(list(held))
        self.dropped |= held
        return held.keys()

    def forget(self, keys: Collection[UUID]) -> None:
        """Delete identifiers and what hangs on them; not, as a cascade would, their activities."""
        for rows in (
            Ownership.objects.filter(identifier__in=keys),
            Claim.objects.filter(weak__in=keys),
            Conflict.objects.filter(Q(identifier__in=keys) | Q(other__in=keys)),
            ObjectRelationship.objects.filter(identifier__in=keys),
        ):
            remove(rows.using(self.using))
        remove(self.identifiers().filter(pk__in=keys))

    def bring_back(self) -> None:
        """Make again the identifiers of visitors who came back while they were dropped."""
        if not self.dropped:
            return
        writers.wait(self.using)
        done = Activity.objects.using(self.using).filter(identifier__in=self.dropped)
        back = [self.dropped[key] for key in set(done.values_list("identifier", flat=True))]
        self.identifiers().bulk_create(back, ignore_conflicts=True)

    def batches(self, rows: QuerySet[Any], order: str, size: int) -> Iterator[list[Any]]:
        """Walk through ``rows`` in their order, also while they are deleted; stop at the limit."""
        ordered = rows.order_by(order, "pk")
        batch: list[Any] = list(ordered[:size])
        while batch and self.left != 0:
            last = batch[-1]
            yield batch
            value = getattr(last, order)
            beyond = Q(**{f"{order}__gt": value}) | Q(**{order: value}, pk__gt=last.pk)
            batch = list(ordered.filter(beyond, **{f"{order}__gte": value})[:size])

    def spent(self, count: int) -> int:
        if self.left is not None:
            self.left -= count
        return count
