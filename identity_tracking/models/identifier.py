"""Identifiers, whose they are and when (Ownership), and why (Claim)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from identity_tracking.identifiers import Kind, Ref
from identity_tracking.messages import Message
from identity_tracking.models.locking import lock
from identity_tracking.models.moment import MomentField

BEGINNING = datetime(1900, 1, 1, tzinfo=UTC)  # stands for "ever since": NULL would not be unique
END = datetime(9999, 1, 1, tzinfo=UTC)  # stands for "for ever"


class IdentifierQuerySet(models.QuerySet["Identifier"]):
    def visitors(self) -> IdentifierQuerySet:
        """Anonymous ids, whether somebody owns them by now or not."""
        return self.filter(kind=Kind.ANONYMOUS_ID)

    def unowned(self) -> IdentifierQuerySet:
        """Identifiers that nobody owns at any time: the visitors still anonymous."""
        return self.filter(ownership=None)

    def locked(self, keys: Iterable[UUID]) -> dict[UUID, Identifier]:
        """Lock these rows until the transaction ends, in key order, and return those there are."""
        return lock(self, keys)


class Identifier(models.Model):
    """One identifier. Its primary key is a digest of kind and value, so it is known unasked."""

    id = models.UUIDField(primary_key=True, editable=False)
    kind = models.PositiveSmallIntegerField(_("kind"), choices=Kind.choices)
    value = models.CharField(_("value"), max_length=254)
    known = models.BooleanField(
        _("known to the site"),
        default=False,
        help_text=_("A trusted message identified somebody by this email."),
    )
    registers = models.JSONField(
        _("registers"), null=True, help_text=_("What this identifier's own messages wrote.")
    )
    created_at = MomentField(_("first seen"))

    objects = IdentifierQuerySet.as_manager()

    class Meta:
        verbose_name = _("identifier")
        verbose_name_plural = _("visitors and identifiers")
        indexes = [models.Index(fields=["kind", "-created_at"], name="identifier_newest")]

    def __str__(self) -> str:
        return self.value

    @property
    def ref(self) -> Ref:
        return Ref(Kind(self.kind), self.value)


class OwnershipQuerySet(models.QuerySet["Ownership"]):
    def of(self, people: Iterable[UUID]) -> OwnershipQuerySet:
        """The stretches that belong to ``people``, taken as one person."""
        people = list(people)
        closed = Q(after=None) | Q(after__in=people)
        return self.filter(closed, person__in=people)

    def at(self, moment: datetime | F) -> OwnershipQuerySet:
        return self.filter(since__lte=moment, until__gt=moment)


class Ownership(models.Model):
    """Whose an identifier is from ``since`` until just before ``until``.

    An identifier without rows is nobody's. A row with ``after`` is the gap on a shared device
    between the claims of ``person`` and of ``after``: nobody's, unless a merge made them one.
    """

    identifier = models.ForeignKey(
        Identifier, models.CASCADE, related_name="ownership", db_index=False, db_constraint=False
    )
    since = MomentField(_("since"))
    until = MomentField(_("until"))
    person = models.ForeignKey(
        "Person", models.CASCADE, related_name="ownership", db_constraint=False
    )
    after = models.ForeignKey(
        "Person", models.CASCADE, related_name="+", null=True, db_constraint=False
    )

    objects = OwnershipQuerySet.as_manager()

    class Meta:
        verbose_name = _("ownership")
        verbose_name_plural = _("ownership")
        constraints = [
            models.UniqueConstraint(fields=["identifier", "since"], name="ownership_once"),
            models.CheckConstraint(condition=Q(since__lt=F("until")), name="ownership_forward"),
        ]

    def __str__(self) -> str:
        return f"{self.identifier_id} {self.since:%Y-%m-%d}–{self.until:%Y-%m-%d}"

    @property
    def is_whole(self) -> bool:
        """Whether this is one row for all time."""
        return self.since == BEGINNING and self.until == END

    def holds(self, moment: datetime) -> bool:
        return self.since <= moment < self.until


class ClaimQuerySet(models.QuerySet["Claim"]):
    def standing(self) -> ClaimQuerySet:
        """Claims that nobody voided."""
        return self.filter(voided_at=None)

    def counting(self) -> ClaimQuerySet:
        """Claims that count: an unproven one only while nothing better is known of the email."""
        firm = Claim.objects.using(self.db).standing().filter(weak=OuterRef("weak"), firm=True)
        unproven = Q(weak__known=False) & ~Exists(firm)
        return self.standing().filter(Q(firm=True) | unproven)


class Claim(models.Model):
    """The fact that one message said: ``weak`` belongs to ``target``. Counts until voided."""

    weak = models.ForeignKey(
        Identifier, models.CASCADE, related_name="claims", db_index=False, db_constraint=False
    )
    target = models.ForeignKey(
        Identifier, models.CASCADE, related_name="claimed", db_index=False, db_constraint=False
    )
    activity = models.ForeignKey(
        "Activity", models.CASCADE, related_name="claims", db_index=False, db_constraint=False
    )
    time = MomentField(_("time"))
    message_id = models.CharField(_("message id"), max_length=100)
    trusted = models.BooleanField(_("trusted"))
    source = models.CharField(_("source"), max_length=64)
    firm = models.BooleanField(
        _("firm"), help_text=_("Not firm: counts only while nothing better is known of the email.")
    )
    voided_at = MomentField(_("voided at"), null=True)
    voided_by = models.CharField(_("voided by"), max_length=150, blank=True)
    voided_for = models.CharField(_("reason"), max_length=254, blank=True)

    objects = ClaimQuerySet.as_manager()

    class Meta:
        verbose_name = _("claim")
        verbose_name_plural = _("claims")
        permissions = [
            ("void_claim", "Can void claims"),
            ("restore_claim", "Can restore voided claims"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["activity", "weak"], name="claim_once"),
        ]
        indexes = [
            models.Index(fields=["weak", "time"], name="claim_of_weak"),
            models.Index(fields=["target", "time"], name="claim_on_target"),
        ]

    def __str__(self) -> str:
        return f"{self.weak_id} → {self.target_id}"

    @classmethod
    def from_message(cls, message: Message, *, weak: Ref, target: Ref, firm: bool) -> Claim:
        """Return the row, unsaved, of what ``message`` claims."""
        return cls(
            weak_id=weak.key,
            target_id=target.key,
            activity_id=message.key,
            time=message.timestamp,
            message_id=message.message_id,
            trusted=message.trusted,
            source=message.source,
            firm=firm,
        )

    def void(self, *, by: Any = None, reason: str = "") -> None:
        """Let the claim count no more, as if its message had not made it. Safe to repeat.

        Raises Unavailable for database trouble. Locks as an identify does.
        """
        import_string("identity_tracking.shortcuts.void")(self, by=by, reason=reason)

    def restore(self) -> None:
        """Let a voided claim count again. Safe to repeat. Raises and locks as ``void`` does."""
        import_string("identity_tracking.shortcuts.restore")(self)
