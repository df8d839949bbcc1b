"""The app's configuration: checks and receivers are connected when Django is ready."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class IdentityTrackingConfig(AppConfig):
    name = "identity_tracking"
    verbose_name = _("People")
    default_auto_field = "django.db.models.BigAutoField"
