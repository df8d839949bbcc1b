"""Sources beside the one of the settings, and their secret keys: of a key only its hash."""

from __future__ import annotations

import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from identity_tracking.conf import conf
from identity_tracking.models.moment import MomentField, present

ORIGIN = re.compile(r"https?://[a-z0-9.\[\]:-]+")
SITE_ID = r"\A[A-Za-z0-9][A-Za-z0-9._-]*\Z"  # no ":", which ends it in HTTP's Basic authentication


def origins_in(text: str) -> frozenset[str]:
    """Return the origins that stand in ``text``, one a line."""
    return frozenset(text.split())


def validate_origins(text: str) -> None:
    """Refuse what a browser would never send as its Origin."""
    for origin in text.split():
        if not ORIGIN.fullmatch(origin):
            raise ValidationError(
                _("%(origin)s is no origin: write scheme, host and port, as https://shop.example."),
                code="invalid_origin",
                params={"origin": origin},
            )


class Source(models.Model):
    """Whose calls are taken. ``site_id`` is public: it stands in pages, and in what they sent.

    A source that is no longer wanted is disabled: what it sent goes on naming it.
    """

    site_id = models.CharField(
        _("site id"),
        max_length=64,
        unique=True,
        validators=[
            RegexValidator(SITE_ID, _("Letters, digits, dots, dashes and underscores alone.")),
        ],
        help_text=_("Its public write key, which stands in pages. It never changes."),
    )
    name = models.CharField(_("name"), max_length=150)
    allowed_origins = models.TextField(
        _("allowed origins"),
        blank=True,
        validators=[validate_origins],
        help_text=_("Whose pages may post for it too, one a line, as https://shop.example."),
    )
    enabled = models.BooleanField(
        _("enabled"),
        default=True,
        help_text=_("Otherwise its calls are refused; what it sent stays."),
    )
    created_at = MomentField(_("made at"), default=present, editable=False)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        default_permissions = ("add", "change", "view")

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse the site_id of the settings' source, in any case: databases differ in it."""
        if self.site_id.casefold() == conf.SITE_ID.casefold():
            raise ValidationError(
                _("The settings have a source of this site id: SITE_ID."), code="of_the_settings"
            )


class SecretKey(models.Model):
    """A key that proves a source. ``hint`` is how it ends, for people to tell keys apart."""

    source = models.ForeignKey(
        Source, models.CASCADE, related_name="keys", verbose_name=_("source")
    )
    digest = models.CharField(_("hash"), max_length=64, unique=True, editable=False)
    hint = models.CharField(_("ends in"), max_length=4, editable=False)
    label = models.CharField(_("label"), max_length=100, blank=True)
    created_at = MomentField(_("made at"), default=present, editable=False)
    last_used_at = MomentField(_("last used"), null=True, editable=False)
    revoked_at = MomentField(_("revoked at"), null=True, editable=False)

    class Meta:
        verbose_name = _("secret key")
        verbose_name_plural = _("secret keys")
        default_permissions = ()

    def __str__(self) -> str:
        return f"…{self.hint}"
