"""What came in and could not be accepted, kept with the reason."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from identity_tracking.models.moment import MomentField


class Entrance(models.TextChoices):
    """By which way a call came, that can be gone again."""

    SCRIPT = "script", _("the page's script")
    SEGMENT = "segment", _("Segment's HTTP API")
    TRACK = "track", _("the Track API")
    FORM = "form", _("a form")


class FailedEvent(models.Model):
    """One refused message. ``payload`` is JSON as ASCII text: its text may be what is wrong.

    ``entrance`` is empty where what is kept is not enough to try it again.
    """

    code = models.CharField(_("reason"), max_length=32, db_index=True)
    payload = models.TextField(_("message"))
    source = models.CharField(_("source"), max_length=64)
    trusted = models.BooleanField(_("trusted"))
    entrance = models.CharField(
        _("came by"), max_length=16, choices=Entrance, default="", blank=True
    )
    received_at = MomentField(_("received at"), db_index=True)

    class Meta:
        verbose_name = _("failed event")
        verbose_name_plural = _("failed events")
        permissions = [("replay_failedevent", "Can try failed events again")]

    def __str__(self) -> str:
        return self.code
