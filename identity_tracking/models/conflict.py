"""Conflicts: what the rules decided, and a person should look at."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db import models
from django.utils.translation import gettext_lazy as _

from identity_tracking.models.activity import Activity
from identity_tracking.models.identifier import BEGINNING, Identifier
from identity_tracking.models.moment import MomentField


class Code(models.TextChoices):
    """Why; stable, for code that looks for one."""

    IDENTIFIER_REFUSED = "identifier_refused", _("an identifier could not be used")
    UNKNOWN_CIO_ID = "unknown_cio_id", _("nobody has this cio_id")
    EMAIL_OF_TWO_IDS = "email_of_two_ids", _("two ids use one email")
    EMAIL_NOT_COUNTED = "email_not_counted", _("an unproven claim to a known email")
    TOO_MANY_PEOPLE = "too_many_people", _("a device of too many people")
    LINK_ELSEWHERE = "link_elsewhere", _("a personal link opened on another person's browser")


class ConflictQuerySet(models.QuerySet["Conflict"]):
    def open(self) -> ConflictQuerySet:
        """Conflicts that nobody has settled."""
        return self.filter(settled_at=None)

    def settled(self) -> ConflictQuerySet:
        """Conflicts that somebody looked at; written as a range, which every index answers."""
        return self.filter(settled_at__gt=BEGINNING)

    def settle(self, *, by: str, note: str = "") -> int:
        """Keep that ``by`` has looked at them; return how many were open. The rest stays."""
        return self.open().update(
            settled_at=datetime.now(UTC), settled_by=by[:150], note=note[:254]
        )

    def reopen(self) -> int:
        """Forget who looked at them, and the note; return how many were settled."""
        return self.settled().update(settled_at=None, settled_by="", note="")


class Conflict(models.Model):
    """One conflict. Its key is a digest of code and subject, so that it is told once.

    Told again it stays settled; one that no longer held, and does again, is a new one.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    code = models.CharField(_("conflict"), max_length=32, choices=Code.choices, db_index=True)
    identifier = models.ForeignKey(
        Identifier,
        models.CASCADE,
        related_name="conflicts",
        db_constraint=False,
        verbose_name=_("identifier"),
    )
    other = models.ForeignKey(
        Identifier,
        models.CASCADE,
        null=True,
        related_name="+",
        db_constraint=False,
        verbose_name=_("other identifier"),
    )
    activity = models.ForeignKey(
        Activity,
        models.CASCADE,
        null=True,
        related_name="conflicts",
        db_constraint=False,
        verbose_name=_("message"),
    )
    detail = models.CharField(_("detail"), max_length=254, blank=True)
    found_at = MomentField(_("found at"), db_index=True)

    settled_at = MomentField(_("settled at"), null=True)
    settled_by = models.CharField(_("settled by"), max_length=150, blank=True)
    note = models.CharField(_("note"), max_length=254, blank=True)

    objects = ConflictQuerySet.as_manager()

    class Meta:
        verbose_name = _("conflict")
        verbose_name_plural = _("conflicts")
        permissions = [("settle_conflict", "Can settle conflicts")]
        indexes = [models.Index(fields=["settled_at", "found_at"], name="conflict_open")]

    def __str__(self) -> str:
        return self.get_code_display()
