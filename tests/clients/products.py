"""Clients of other products, wherever they run: here, in a process, in a page. Each is called.

Names are in Python's spelling whatever the client's language: ``track_anonymous``, ``user_id``.
"""

from __future__ import annotations

import inspect
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

HERE = Path(__file__).parent
NODE = HERE / "node"
PIPELINES = Path(sys.prefix) / "pipelines"  # where `make` installs python/requirements.txt
PIPELINES_CLIENT = "customerio-cdp-analytics"


class Failure(Exception):
    """A client told that a call has failed."""


class Product(Protocol):
    """A client of another product: what it is, what it can, and how it is called."""

    name: str
    version: str

    def methods(self) -> set[str]: ...

    def spelled(self, method: str) -> str:
        """Return a method's name as the client's own language has it."""

    def call(self, method: str, *args: Any, **options: Any) -> None:
        """Call, and wait until the call is settled. Raises Failure, or the client's own error."""


class Imported:
    """One that is written in Python and installed beside the tests."""

    def __init__(self, name: str, client: Any) -> None:
        self.name, self.client = name, client
        self.version = version(name)

    def methods(self) -> set[str]:
        return {name for name, _ in inspect.getmembers(type(self.client), inspect.isfunction)}

    def spelled(self, method: str) -> str:
        return method

    def call(self, method: str, *args: Any, **options: Any) -> None:
        getattr(self.client, method)(*args, **options)


class Process:
    """One that runs by itself: each line that is written to it is a call, each it writes an answer.

    ``in_one``: options are one argument, a message, as clients for JavaScript take it.
    """

    def __init__(self, name: str, site: str, key: str = "test-key") -> None:
        self.name = name
        self.in_one = name != PIPELINES_CLIENT
        command, paths = _command(name)
        self.process = subprocess.Popen(  # noqa: S603
            [*command, name, site, key],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=NODE,
            env=paths,
        )
        self.version = installed(name)

    def methods(self) -> set[str]:
        return {_snake(name) for name in self._ask()["methods"]}

    def spelled(self, method: str) -> str:
        return camel(method) if self.in_one else method

    def call(self, method: str, *args: Any, **options: Any) -> None:
        if self.in_one:
            message = {camel(name): value for name, value in options.items()}
            args = (*args, message) if options else args
            told = self._ask(method=self.spelled(method), args=args)
        else:
            told = self._ask(method=method, args=args, options=options)
        if not told.get("settled"):
            raise Failure(told["error"])

    def stop(self) -> None:
        self.process.communicate(timeout=20)

    def _ask(self, **call: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(call) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class InPage:
    """One that runs in a page, as ``window.analytics``."""

    CALL = """async ([method, args, element]) => {
      const on = element ? [document.querySelector(element)] : []
      await analytics[method](...on, ...args)
    }"""
    METHODS = """() => {
      const names = new Set()
      for (let each = analytics; each !== Object.prototype; each = Object.getPrototypeOf(each))
        for (const [name, one] of Object.entries(Object.getOwnPropertyDescriptors(each)))
          if (typeof one.value === "function" && name !== "constructor") names.add(name)
      return [...names]
    }"""

    def __init__(self, name: str, page: Any) -> None:
        self.name, self.page = name, page
        self.version = installed(name)

    def methods(self) -> set[str]:
        return {_snake(name) for name in self.page.evaluate(self.METHODS)}

    def spelled(self, method: str) -> str:
        return camel(method)

    def call(self, method: str, *args: Any, **options: Any) -> None:
        """Call; ``on``: of an element, which is clicked then until that was sent."""
        element = options.get("on")
        self.page.evaluate(self.CALL, [self.spelled(method), args, element])
        if element:
            with self.page.expect_response("**/v1/*"):
                self.page.click(f"{element}:not(form), {element} button")


class Client:
    """A client as a test calls it; each call goes to ``note`` with what it did."""

    def __init__(self, product: Product, note: Callable[[str, Callable[[], None]], None]) -> None:
        self.product = product
        self._note = note

    def __getattr__(self, method: str) -> Callable[..., None]:
        def call(*args: Any, **options: Any) -> None:
            self._note(method, lambda: self.product.call(method, *args, **options))

        return call


def missing() -> str | None:
    """Say why the clients of other languages cannot be run; None where they can."""
    if shutil.which("node") is None:
        return "needs Node: node is not on the PATH"
    if not (NODE / "node_modules").exists() or not PIPELINES.exists():
        return "needs the clients of other products: make installs them"
    return None


def installed(name: str) -> str:
    """Return the version of a client in an environment of its own."""
    if name == PIPELINES_CLIENT:
        (found,) = PIPELINES.glob("customerio_cdp_analytics-*.dist-info")
        return found.name.removesuffix(".dist-info").partition("-")[2]
    package = json.loads((NODE / "node_modules" / name / "package.json").read_text())
    return str(package["version"])


def camel(name: str) -> str:
    return re.sub(r"(?<=[a-z])_([a-z])", lambda found: found[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])[A-Z]", lambda found: f"_{found[0].lower()}", name)


def _command(name: str) -> tuple[list[str], Mapping[str, str] | None]:
    if name == PIPELINES_CLIENT:  # -S: without the packages that the tests have
        return [sys.executable, "-S", str(HERE / "python/runner.py")], {
            "PYTHONPATH": str(PIPELINES)
        }
    return ["node", str(NODE / "runner.mjs")], None
