"""MariaDB, at the server that the driver's own variable names: MYSQL_UNIX_PORT, a socket."""

from __future__ import annotations

from tests.databases import MariaDB
from tests.settings.base import *  # noqa: F403

DATABASES = {
    "default": {
        # Without the driver Django cannot start, and nobody could say what is missing.
        "ENGINE": f"django.db.backends.{'mysql' if MariaDB.has_driver() else 'dummy'}",
        "NAME": "identity_tracking",
        "USER": "root",
    },
}
