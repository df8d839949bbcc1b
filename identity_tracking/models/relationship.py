"""Objects (accounts, courses, flights) and who relates to them."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from identity_tracking.models.identifier import Identifier
from identity_tracking.models.moment import MomentField


class TrackedObject(models.Model):
    """Something that people relate to, made on its first mention. Its key is a digest."""

    id = models.UUIDField(primary_key=True, editable=False)
    object_type = models.CharField(_("type"), max_length=150)
    object_id = models.CharField(_("id"), max_length=150)
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    created_at = MomentField(_("first seen"), db_index=True)

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
        TrackedObject, models.CASCADE, related_name="relationships", verbose_name=_("object")
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
