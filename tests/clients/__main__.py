"""Tell what each method of each client sends and makes: ``python -m tests.clients``.

With ``--record`` what was sent is kept in ``tests/captures``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.clients.telling import Telling

HERE = Path(__file__).parent
OPTIONS = ["--quiet", "-p", "no:randomly", "-p", "no:cacheprovider"]

os.environ.setdefault("REQUIRE", "browser,clients")
telling = Telling()


class Named:
    """Registers the plugin under its name, where the fixtures look for it."""

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(telling, Telling.NAME)


code = pytest.main([str(HERE), *OPTIONS], plugins=[Named()])
print(f"\n{telling.table()}")
if "--record" in sys.argv:
    for file in telling.record(HERE.parent / "captures"):
        print(file)
sys.exit(code)
