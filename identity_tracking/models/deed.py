"""What calls asked for that leaves no message: so that their repeats are known."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext_lazy as _

from identity_tracking.models.moment import MomentField


class DeedQuerySet(models.QuerySet["Deed"]):
    def done_before(self, key: UUID, at: datetime) -> datetime | None:
        """Note a deed whose call came ``at``, in the transaction at hand.

        Return when its call came first, where it was noted before. Of two at once the second
        waits for the first.
        """
        try:
            with transaction.atomic(using=self.db):
                self.create(pk=key, done_at=at)
        except IntegrityError:
            return self.filter(pk=key).values_list("done_at", flat=True).first() or at
        return None


class Deed(models.Model):
    """A deletion, suppression or its end that was done. Its key is that of the call's message.

    It holds nothing of whom the call was about. ``done_at``: when that came, the first time.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    done_at = MomentField(_("done at"), db_index=True)

    objects = DeedQuerySet.as_manager()

    class Meta:
        verbose_name = _("deed")
        verbose_name_plural = _("deeds")

    def __str__(self) -> str:
        return str(self.pk)
