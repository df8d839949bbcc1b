"""Merges that somebody asked for. Each can be undone, exactly."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID, uuid4

from django.db import models
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from identity_tracking.models.activity import Activity
from identity_tracking.models.moment import MomentField
from identity_tracking.models.person import Person


class MergeOperationQuerySet(models.QuerySet["MergeOperation"]):
    def live(self) -> MergeOperationQuerySet:
        """Merges that were not undone."""
        return self.filter(undone_at=None)


class MergeOperation(models.Model):
    """The word of somebody trusted that ``secondary`` is the same human as ``primary``.

    ``activity``: the message that said so by giving a person another id or email (R9), if it
    was one. Live operations fold in the order of (at, id); one that would close a circle has no
    effect.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    primary = models.ForeignKey(
        Person, models.CASCADE, related_name="+", db_constraint=False, verbose_name=_("primary")
    )
    secondary = models.ForeignKey(
        Person, models.CASCADE, related_name="+", db_constraint=False, verbose_name=_("secondary")
    )
    activity = models.ForeignKey(
        Activity,
        models.CASCADE,
        null=True,
        related_name="operations",
        db_constraint=False,
        verbose_name=_("message"),
    )
    at = MomentField(_("merged at"))
    by = models.CharField(_("merged by"), max_length=150, blank=True)
    reason = models.CharField(_("reason"), max_length=254, blank=True)
    undone_at = MomentField(_("undone at"), null=True)
    undone_by = models.CharField(_("undone by"), max_length=150, blank=True)

    objects = MergeOperationQuerySet.as_manager()

    class Meta:
        verbose_name = _("merge")
        verbose_name_plural = _("merges")
        permissions = [("undo_mergeoperation", "Can undo merges")]

    def __str__(self) -> str:
        return f"{self.secondary_id} → {self.primary_id}"

    def undo(self, *, by: Any = None) -> None:
        """Take the merge back: both people are again as if it had never been. Safe to repeat."""
        import_string("identity_tracking.shortcuts.undo")(self, by=by)


def naming(people: Collection[UUID]) -> models.Q:
    """Return the condition that an operation, live or undone, names any of ``people``."""
    return models.Q(primary__in=people) | models.Q(secondary__in=people)
