"""The app's configuration: checks and receivers are connected when Django is ready."""

from __future__ import annotations

from django.apps import AppConfig, apps
from django.utils.translation import gettext_lazy as _


class IdentityTrackingConfig(AppConfig):
    name = "identity_tracking"
    verbose_name = _("People")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from identity_tracking import checks, source_checks  # noqa: PLC0415

        checks.connect()
        source_checks.connect()
        if apps.is_installed("django.contrib.auth"):
            from identity_tracking import receivers  # noqa: F401, PLC0415
