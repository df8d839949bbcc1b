"""Run the measures on the database of the settings module, in a test database of its own."""

from __future__ import annotations

import django

django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402

from tests.benchmarks import admin, claims, pages, served  # noqa: E402


def main() -> None:
    setup_test_environment()
    connection.creation.create_test_db(verbosity=0)
    version = ".".join(map(str, connection.get_database_version()))
    print(f"\nDjango {django.__version__}, {connection.vendor} {version}")
    try:
        pages.bench()
        if connection.vendor == "postgresql":
            served.bench()
        claims.bench()
        admin.bench()
    finally:
        connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)


main()
