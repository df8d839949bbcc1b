"""Conflicts: what the rules decided, and a person should look at."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from identity_tracking.models.activity import Activity
from identity_tracking.models.identifier import Identifier
from identity_tracking.models.moment import MomentField


class Code(models.TextChoices):
    """Why; stable, for code that looks for one."""

    IDENTIFIER_REFUSED = "identifier_refused", _("an identifier could not be used")
    UNKNOWN_CIO_ID = "unknown_cio_id", _("nobody has this cio_id")
    EMAIL_OF_TWO_IDS = "email_of_two_ids", _("two ids use one email")
    EMAIL_NOT_COUNTED = "email_not_counted", _("an unproven claim to a known email")
    TOO_MANY_PEOPLE = "too_many_people", _("a device of too many people")
    LINK_ELSEWHERE = "link_elsewhere", _("a personal link opened on another person's browser")


class Conflict(models.Model):
    """One conflict. Its key is a digest of code and subject, so that it is told once."""

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

    class Meta:
        verbose_name = _("conflict")
        verbose_name_plural = _("conflicts")

    def __str__(self) -> str:
        return self.get_code_display()
