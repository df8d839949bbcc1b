"""What visitors and people did. Written once, never re-pointed: ownership says whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from django.db import connections, models
from django.db.models import OuterRef, Q, Subquery
from django.db.models.constants import OnConflict
from django.db.models.sql import InsertQuery
from django.utils.translation import gettext_lazy as _

from identity_tracking.identifiers import Kind, Names
from identity_tracking.messages import (
    RELATIONSHIPS,
    Message,
    Type,
    relations_as_kept,
    relations_as_sent,
)
from identity_tracking.models.identifier import Identifier, Ownership
from identity_tracking.models.moment import MomentField
from identity_tracking.models.person import Person, owner_of

NEWEST_FIRST = ("-timestamp", "-pk")
ASSIGNS = "attributes"  # in the context of a form: which it wrote, each with its field


class ActivityQuerySet(models.QuerySet["Activity"]):
    """Activities; ``of`` and ``with_person`` follow the ownership rows."""

    _attach_people = False

    def of(self, person: Person) -> Self:
        """The whole history of ``person``, newest first. Asks for the person's identifiers now."""
        return self.within(spans(person)).newest()

    def within(self, parts: Sequence[Q]) -> Self:
        """Activities in any of ``parts``, as ``spans`` gives them."""
        return self.filter(Q.create(list(parts), connector=Q.OR)) if parts else self.none()

    def touches(self) -> Self:
        """Those to which a campaign led."""
        return self.filter(from_campaign=True)

    def newest(self) -> Self:
        return self.order_by(*NEWEST_FIRST)

    def with_person(self) -> Self:
        """Load ``activity.person`` for all rows at once, in one query more."""
        stretches = Ownership.objects.filter(
            identifier=OuterRef("identifier"), since__lte=OuterRef("timestamp")
        )
        newest = stretches.order_by("-since").values("pk")[:1]
        clone = self.annotate(_stretch=Subquery(newest))
        clone._attach_people = True
        return clone

    def insert_new(self, activities: Sequence[Activity]) -> set[UUID]:
        """Insert those that are not there yet; return the keys of the rows that were new.

        Safe to repeat, and under concurrency: of two writers one is told that its row is new.
        """
        connection = connections[self.db]
        fields = self.model._meta.concrete_fields
        ordered = sorted(activities, key=lambda activity: activity.pk)
        size = max(1, connection.ops.bulk_batch_size(fields, ordered))
        new: set[UUID] = set()
        for start in range(0, len(ordered), size):
            new |= self._insert_ignoring(ordered[start : start + size])
        return new

    def _insert_ignoring(self, rows: Sequence[Activity]) -> set[UUID]:
        meta = self.model._meta
        query = InsertQuery(self.model, on_conflict=OnConflict.IGNORE)
        query.insert_values(meta.concrete_fields, list(rows))
        compiler = query.get_compiler(using=self.db)
        compiler.returning_fields = [meta.pk]
        with compiler.connection.cursor() as cursor:
            for sql, params in compiler.as_sql():
                cursor.execute(sql, params)
            returned = [row[0] for row in cursor.fetchall()]
        return {key if isinstance(key, UUID) else UUID(key) for key in returned}

    def _fetch_all(self) -> None:
        fresh = self._result_cache is None
        super()._fetch_all()
        if fresh and self._attach_people:
            _attach(self._result_cache or [], self.db)

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._attach_people = self._attach_people
        return clone


class Activity(models.Model):
    """One page view, event, identify …; ``identifier`` is the head of its message, for ever."""

    id = models.UUIDField(primary_key=True, editable=False)
    identifier = models.ForeignKey(
        Identifier,
        models.CASCADE,
        related_name="activities",
        db_index=False,
        db_constraint=False,  # with one, an insert would wait on the lock of a claim
        verbose_name=_("identifier"),
    )
    type = models.CharField(_("type"), max_length=16, choices=Type.choices)
    name = models.CharField(_("name"), max_length=150, blank=True)
    properties = models.JSONField(_("properties"), default=dict)
    context = models.JSONField(_("context"), default=dict)
    timestamp = MomentField(_("time"))
    received_at = MomentField(_("received at"))
    source = models.CharField(_("source"), max_length=64)
    trusted = models.BooleanField(_("trusted"))
    message_id = models.CharField(_("message id"), max_length=100)
    from_campaign = models.BooleanField(
        _("a campaign led here"), default=False, db_default=False, editable=False
    )

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        indexes = [
            models.Index(fields=["identifier", "timestamp", "id"], name="activity_history"),
            models.Index(fields=["timestamp"], name="activity_newest"),
            models.Index(
                fields=["identifier", "timestamp"],
                name="activity_touch",
                condition=Q(from_campaign=True),  # MariaDB has none, and reads the history
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.get_type_display()

    @classmethod
    def from_message(cls, message: Message) -> Activity:
        """Return the row, unsaved, that ``message`` is kept as."""
        properties = dict(message.properties)
        if message.relations:
            properties[RELATIONSHIPS] = relations_as_sent(message.relations)
        return cls(
            pk=message.key,
            identifier_id=message.head.key,
            type=message.type,
            name=message.name,
            properties=properties,
            context={**message.context, **({ASSIGNS: message.assigns} if message.assigns else {})},
            timestamp=message.timestamp,
            received_at=message.received_at,
            source=message.source,
            trusted=message.trusted,
            message_id=message.message_id,
            from_campaign="campaign" in message.context,
        )

    def as_message(self) -> Message:
        """Return the message again, as far as its head and what it wrote go."""
        properties = dict(self.properties)
        changes = relations_as_kept(properties.pop(RELATIONSHIPS, None))
        return Message(
            type=Type(self.type),
            names=Names.of(self.identifier.ref),
            source=self.source,
            message_id=self.message_id,
            timestamp=self.timestamp,
            received_at=self.received_at,
            trusted=self.trusted,
            name=self.name,
            properties=properties,
            relations=changes,
            assigns=self.context.get(ASSIGNS, {}),
        )

    @property
    def person(self) -> Person | None:
        """Whose this is, by the ownership rows; None for a visitor who is still anonymous."""
        if not hasattr(self, "_person"):
            ref = self.identifier.ref
            people = Person.objects.using(self._state.db)
            self._person = people.owner(ref, at=self.timestamp)
        return self._person

    @property
    def is_anonymous(self) -> bool:
        """Whether it was done before, or without, saying who one is."""
        return self.identifier.kind == Kind.ANONYMOUS_ID


def spans(person: Person) -> list[Q]:
    """Return conditions that together hold for all activities of ``person``, and for no other.

    No two of them hold for one activity. Whole identifiers share one condition each, contested
    ones have a condition a stretch.
    """
    rows = Ownership.objects.using(person._state.db).of(person.component)
    return [
        Q(identifier=row.identifier_id)
        if row.is_whole
        else Q(identifier=row.identifier_id, timestamp__gte=row.since, timestamp__lt=row.until)
        for row in rows
    ]


def first_and_last_touch(parts: Sequence[Q], using: str) -> list[Activity]:
    """Return the first and the last activity in ``parts`` to which a campaign led, in one query."""
    touches = Activity.objects.using(using).within(parts).touches()
    ends = (
        Q(pk=Subquery(touches.order_by(*order).values("pk")[:1]))
        for order in (("timestamp", "pk"), NEWEST_FIRST)
    )
    found = touches.filter(Q.create([*ends], connector=Q.OR)).order_by("timestamp", "pk")
    return list(found)


def earliest_and_latest(
    identifier: UUID, since: datetime, until: datetime, using: str
) -> list[datetime]:
    """Return the times of the first and the last activity in a stretch: two index look-ups."""
    rows = Activity.objects.using(using).filter(
        identifier=identifier, timestamp__gte=since, timestamp__lt=until
    )
    times = (
        rows.order_by(order).values_list("timestamp", flat=True).first()
        for order in ("timestamp", "-timestamp")
    )
    return [time for time in times if time is not None]


def _attach(activities: Iterable[Any], using: str) -> None:
    keys = {activity._stretch for activity in activities}
    rows = Ownership.objects.using(using).select_related("person__root", "after__root")
    stretches = rows.in_bulk(keys - {None})
    for activity in activities:
        stretch = stretches.get(activity._stretch)
        held = stretch is not None and stretch.until > activity.timestamp
        activity._person = owner_of(stretch) if stretch and held else None
