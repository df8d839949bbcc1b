"""SQLite as startproject leaves it."""

from __future__ import annotations

from tests.settings.base import *  # noqa: F403

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "test.sqlite3",
    },
}
