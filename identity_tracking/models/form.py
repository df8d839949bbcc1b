"""Forms that were filled in, what each of their fields gives, and how often. No submission."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_lazy as _

from identity_tracking.form_fields import KEYWORDS, NAMING, Role
from identity_tracking.identifiers import digest
from identity_tracking.models.moment import MomentField

IDENTIFYING = (Role.EMAIL, Role.ID)


class FormQuerySet(models.QuerySet["Form"]):
    def with_identifying(self) -> FormQuerySet:
        """Load with each form whether one of its fields says who fills it in."""
        fields = FormField.objects.filter(form=OuterRef("pk"), role__in=IDENTIFYING)
        return self.annotate(identifies=Exists(fields))


class Form(models.Model):
    """One form of a source. Its primary key is a digest of both, so it is known unasked."""

    id = models.UUIDField(primary_key=True, editable=False)
    source = models.CharField(_("source"), max_length=64, editable=False)
    form_id = models.CharField(_("form id"), max_length=150, editable=False)
    name = models.CharField(_("name"), max_length=150, blank=True)
    url = models.CharField(_("page"), max_length=2_000, blank=True, editable=False)
    trusted = models.BooleanField(
        _("trusted"),
        editable=False,
        help_text=_("Its first submission came from a trusted sender."),
    )
    first_seen = MomentField(_("first seen"), editable=False)
    last_seen = MomentField(_("last seen"), editable=False)

    objects = FormQuerySet.as_manager()

    class Meta:
        verbose_name = _("form")
        verbose_name_plural = _("forms")

    def __str__(self) -> str:
        return self.name or self.form_id

    @staticmethod
    def key(source: str, form_id: str) -> UUID:
        return digest("form", source, form_id)


class FormField(models.Model):
    """What one field of a form gives: staff may choose. ``attribute``: under which name."""

    id = models.UUIDField(primary_key=True, editable=False)
    form = models.ForeignKey(Form, models.CASCADE, related_name="fields", verbose_name=_("form"))
    name = models.CharField(_("field"), max_length=150, editable=False)
    role = models.CharField(_("gives"), max_length=16, choices=Role.choices)
    attribute = models.CharField(
        _("attribute"), max_length=150, blank=True, help_text=_("Empty: called as the field is.")
    )

    class Meta:
        verbose_name = _("field")
        verbose_name_plural = _("fields")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse names that are no attribute's: those that say who somebody is."""
        if self.attribute in NAMING | KEYWORDS:
            raise ValidationError({"attribute": _("No attribute has this name.")})

    @staticmethod
    def key(form: UUID, name: str) -> UUID:
        return digest("field", form.hex, name)


class FormDay(models.Model):
    """How often a form was submitted on one day, of the site's time zone."""

    id = models.UUIDField(primary_key=True, editable=False)
    form = models.ForeignKey(Form, models.CASCADE, related_name="days", verbose_name=_("form"))
    day = models.DateField(_("day"))
    submissions = models.PositiveIntegerField(_("submissions"), default=0)

    class Meta:
        verbose_name = _("day of a form")
        verbose_name_plural = _("days of forms")

    def __str__(self) -> str:
        return f"{self.day}: {self.submissions}"

    @staticmethod
    def key(form: UUID, day: date) -> UUID:
        return digest("day", form.hex, day.isoformat())
