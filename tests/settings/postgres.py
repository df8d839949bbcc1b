"""PostgreSQL, at the server that libpq's own variables name: PGHOST and its kin."""

from __future__ import annotations

from tests.settings.base import *  # noqa: F403

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "identity_tracking",
    },
}
