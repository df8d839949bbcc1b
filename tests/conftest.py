"""What this machine can run, and the database that each test gets.

A test whose browser or server is not to be had is skipped, and says why. A continuous integration
names those that must be there: ``REQUIRE=browser,clients,postgres,mariadb``.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from functools import partial
from typing import Any

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from identity_tracking.sources import registry
from tests import shares
from tests.clients import products
from tests.databases import MariaDB, PostgreSQL

pytest.register_assert_rewrite("tests.comparing")

REQUIRED = os.environ.get("REQUIRE", "").split(",")
SERVERS: dict[str, type[PostgreSQL | MariaDB]] = {kind.TIER: kind for kind in (PostgreSQL, MariaDB)}
NEEDS = {
    "postgres": ({"postgresql"}, "needs PostgreSQL: --ds=tests.settings.postgres"),
    "mariadb": ({"mysql"}, "needs MariaDB: --ds=tests.settings.mariadb"),
    "server": ({"postgresql", "mysql"}, "needs a server: --ds=tests.settings.postgres"),
}
LONGEST = {  # files: half a minute and more each
    "test_accessibility",
    "test_admin",
    "test_graph",
    "test_installs",
    "test_machine",
    "test_outages",
    "test_processes",
    "test_query_counts",
    "test_scripts",
    "test_schema_conformance",
}
BROWSERS = {
    "browser": ("chromium", "chromium-browser", "google-chrome"),
    "firefox": ("firefox-esr", "firefox"),
}

hypothesis.settings.register_profile(
    "patient", deadline=None
)  # machines pause; tests may not flake
hypothesis.settings.register_profile(
    "hunt", deadline=None, phases=[hypothesis.Phase.explicit, hypothesis.Phase.generate]
)  # for planted bugs: that there is one is known, so none is made small
hypothesis.settings.load_profile("patient")


def pytest_configure(config: pytest.Config) -> None:
    """Start the server that the settings ask for; the workers of xdist inherit it."""
    tier = settings.SETTINGS_MODULE.rpartition(".")[2]
    kind = SERVERS.get(tier)
    if kind is None or kind.VARIABLE in os.environ:
        return
    if reason := kind.missing():
        pytest.exit(reason, returncode=int(tier in REQUIRED))
    server = kind()
    server.start()
    config.add_cleanup(server.stop)
    os.environ.update(server.environ)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: otherwise one worker ends long after the others.

    Those of the browsers follow together: a worker launches a browser once for all that it gets.
    """

    def later(item: pytest.Item) -> tuple[bool, bool]:
        return item.path.stem not in LONGEST, item.path.parent.name != "browser"

    items.sort(key=later)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, (vendors, reason) in NEEDS.items():
        if item.get_closest_marker(marker) and connection.vendor not in vendors:
            pytest.skip(reason)
    for tier, missing in MISSING.items():
        if item.get_closest_marker(tier) and (lack := missing()):
            end = pytest.fail if tier in REQUIRED else pytest.skip
            end(lack)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    shares.tell(terminalreporter)


def find_browser(tier: str = "browser") -> str | None:
    return next(filter(None, map(shutil.which, BROWSERS[tier])), None)


def _missing(tier: str) -> str | None:
    wanted = ", ".join(BROWSERS[tier])
    return None if find_browser(tier) else f"needs a browser: one of {wanted} on the PATH"


MISSING: dict[str, Callable[[], str | None]] = {
    "browser": partial(_missing, "browser"),
    "firefox": partial(_missing, "firefox"),
    "clients": products.missing,
}


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep SQLite in a file, one a worker: in memory it has neither WAL nor locks to wait for.

    MariaDB's driver read its variable when it was imported, before the server was started.
    """
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = tmp_path_factory.getbasetemp() / "test.sqlite3"
    if connection.vendor == "mysql":
        connection.settings_dict["HOST"] = os.environ[MariaDB.VARIABLE]


@pytest.fixture
def of_now(settings: Any) -> None:
    """Nothing is late, however long ago the stories told here were."""
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "LAST_SEEN_EVERY": 10**9}


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture(autouse=True)
def _unread_sources() -> None:
    """Let no test know the sources of the one before, which it may have read a moment ago."""
    registry.forget()
