"""Identifiers of people who were erased, as keyed hashes: enough to refuse them, no more."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from identity_tracking.models.moment import MomentField


class Suppression(models.Model):
    """One identifier that is refused for ever. ``made_with`` tells keys apart, and is no key.

    ``together``: the same for all that one person was called; None where nobody knows.
    """

    hash = models.CharField(_("keyed hash"), max_length=64, primary_key=True, editable=False)
    made_with = models.CharField(_("made with"), max_length=16)
    suppressed_at = MomentField(_("suppressed at"))
    together = models.UUIDField(_("erased together"), null=True, db_index=True)

    class Meta:
        verbose_name = _("suppressed identifier")
        verbose_name_plural = _("suppressed identifiers")

    def __str__(self) -> str:
        return self.hash[:8]
