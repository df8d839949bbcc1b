"""Tell what each method of each client sends and makes: ``python -m tests.clients``.

With ``--write`` that goes into the pages of ``docs`` also, and what was sent is kept in
``tests/captures``.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from tests.clients.telling import Telling

HERE = Path(__file__).parent
DOCS = HERE.parent.parent / "docs"
TABLE = re.compile(r"(<!-- calls: .*? -->\n).*?(<!-- /calls -->)", re.DOTALL)
OF_THE_TRACK_API = {"customerio", "customerio-node"}
OPTIONS = ["--quiet", "-p", "no:randomly", "-p", "no:cacheprovider"]

os.environ.setdefault("REQUIRE", "browser,clients")
telling = Telling()


class Named:
    """Registers the plugin under its name, where the fixtures look for it."""

    def pytest_configure(self, config: pytest.Config) -> None:
        config.pluginmanager.register(telling, Telling.NAME)


def write() -> None:
    others = {call.client for call in telling.calls} - OF_THE_TRACK_API
    for page, clients in (("customerio.md", OF_THE_TRACK_API), ("segment.md", others)):
        file = DOCS / page
        file.write_text(TABLE.sub(rf"\1{telling.table(clients)}\2", file.read_text()))
    for file in telling.record(HERE.parent / "captures"):
        print(file)


code = pytest.main([str(HERE), *OPTIONS], plugins=[Named()])
print(f"\n{telling.table()}")
if "--write" in sys.argv and not code:
    write()
sys.exit(code)
