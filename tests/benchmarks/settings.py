"""The site that gunicorn serves: on the benchmark's own database, its connections kept."""

from __future__ import annotations

from typing import Any

from tests.settings.base import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.site"
DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "test_identity_tracking",
        "CONN_MAX_AGE": None,
    },
}
