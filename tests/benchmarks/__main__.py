"""Print how fast it is: each goal's ratio to a reference that was measured in turn with it.

Runs on SQLite and on a PostgreSQL of its own, whose every COMMIT reaches the disk.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys

from tests.databases import PostgreSQL


class Durable(PostgreSQL):
    """The tests' server as a site would run it: what it acknowledges survives a crash."""

    CONFIGURATION = """
        listen_addresses = ''
        unix_socket_directories = '{home}'
        shared_buffers = 256MB
        max_wal_size = 4GB
    """


def measure(settings: str, environ: dict[str, str]) -> None:
    """Run all measures on the database of the module ``settings``, in a process of its own."""
    subprocess.run(
        [sys.executable, "-m", "tests.benchmarks.on_database"],
        check=True,
        env={**os.environ, **environ, "DJANGO_SETTINGS_MODULE": settings},
    )


def main() -> None:
    print(f"{platform.platform()}, {os.cpu_count()} CPUs, Python {platform.python_version()}")
    measure("tests.settings.sqlite", {})
    if reason := PostgreSQL.missing():
        print(reason)
        return
    server = Durable()
    server.start()
    try:
        measure("tests.settings.postgres", server.environ)
    finally:
        server.stop()


main()
