"""Print how fast it is: ratios to a reference measured in turn with it, in this run.

One process, one thread, through Django's own request handler, on the database of the settings
module (`DJANGO_SETTINGS_MODULE`, by default SQLite's). Medians of several rounds.
"""

from __future__ import annotations

import os
import platform

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings.sqlite")
django.setup()

from django.db import connection  # noqa: E402
from django.test.utils import override_settings, setup_test_environment  # noqa: E402

from tests.benchmarks import measures  # noqa: E402

setup_test_environment()
connection.creation.create_test_db(verbosity=0)
database = ".".join(map(str, connection.get_database_version()))
print(
    f"Python {platform.python_version()}, Django {django.__version__}, "
    f"{connection.vendor} {database}, {os.cpu_count()} CPUs"
)
with override_settings(ROOT_URLCONF=measures.__name__):
    measures.bench_middleware()
    measures.bench_ingest()
    measures.bench_claims()
connection.creation.destroy_test_db(connection.settings_dict["NAME"], verbosity=0)
