"""Objects (accounts, courses, flights) and who relates to them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from identity_tracking.models.identifier import Identifier
from identity_tracking.models.locking import lock
from identity_tracking.models.moment import MomentField


class TrackedObjectQuerySet(models.QuerySet["TrackedObject"]):
    def standing(self) -> TrackedObjectQuerySet:
        """Objects that were not deleted, or that somebody relates to again."""
        held = ObjectRelationship.objects.using(self.db).filter(object=OuterRef("pk"))
        return self.filter(Q(deleted_at=None) | Exists(held))

    def locked(self, keys: Iterable[UUID]) -> dict[UUID, TrackedObject]:
        """Lock these rows until the transaction ends, in key order, and return those there are."""
        return lock(self, keys)


class TrackedObject(models.Model):
    """Something that people relate to, made on its first mention. Its key is a digest.

    ``attributes`` are what ``registers`` come to, and never edited by hand. A deleted object's row
    stays: so what was said before, and comes late, is not taken. ``removals`` is of ``registers``
    what relationships are held against: the last deletion of each trust.
    """

    id = models.UUIDField(primary_key=True, editable=False)
    object_type = models.CharField(_("type"), max_length=150)
    object_id = models.CharField(_("id"), max_length=150)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    registers = models.JSONField(
        _("registers"), null=True, help_text=_("What messages wrote of this object itself.")
    )
    removals = models.JSONField(_("removals"), null=True)
    created_at = MomentField(_("first seen"), db_index=True)
    deleted_at = MomentField(_("deleted"), null=True)

    objects = TrackedObjectQuerySet.as_manager()

    class Meta:
        verbose_name = _("object")
        verbose_name_plural = _("objects")

    def __str__(self) -> str:
        return f"{self.object_type}: {self.object_id}"


class ObjectRelationship(models.Model):
    """A person's, or an anonymous visitor's, relationship to an object.

    ``identifier`` is the person's anchor, or the anonymous id. A cache, as a person's
    attributes are: identity computes it from the messages.
    """

    identifier = models.ForeignKey(
        Identifier,
        models.CASCADE,
        related_name="relationships",
        db_index=False,
        db_constraint=False,
        verbose_name=_("whose"),
    )
    object = models.ForeignKey(
        TrackedObject,
        models.CASCADE,
        related_name="relationships",
        db_constraint=False,  # with one, MariaDB locks the object for each of its relationships
        verbose_name=_("object"),
    )
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)

    class Meta:
        verbose_name = _("relationship")
        verbose_name_plural = _("relationships")
        constraints = [
            models.UniqueConstraint(fields=["identifier", "object"], name="relationship_once"),
        ]

    def __str__(self) -> str:
        return f"{self.identifier_id} – {self.object_id}"
