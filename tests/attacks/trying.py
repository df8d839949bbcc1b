"""Run the tests that show cases on one database, and read what became of each."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

ENDS = {"failure": "failed", "error": "failed", "skipped": "skipped"}


@dataclass
class Shown:
    """What became of one case's tests on one database, and which they are."""

    outcomes: Counter[str] = field(default_factory=Counter)
    tests: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        wanted = ("failed", "passed", "skipped")
        return ", ".join(f"{self.outcomes[one]} {one}" for one in wanted if self.outcomes[one])


def attempt(database: str, options: Sequence[str]) -> dict[str, Shown]:
    """Try every case on ``database``: a name of tests.settings."""
    chosen = "case" if database == "sqlite" else "case and not browser"
    with tempfile.TemporaryDirectory() as place:
        report = Path(place) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-p", "tests.attacks.naming", "-m", chosen]
        command += [f"--ds=tests.settings.{database}", f"--junitxml={report}", "-q", *options]
        subprocess.run(command, stdout=sys.stderr, check=False)  # noqa: S603
        return read(report.read_text()) if report.exists() else {}


def read(report: str) -> dict[str, Shown]:
    """Read what became of each case from pytest's report, in JUnit's XML."""
    shown: dict[str, Shown] = defaultdict(Shown)
    for test in ET.fromstring(report).iter("testcase"):  # noqa: S314  it is our own
        outcome = next((ENDS[part.tag] for part in test if part.tag in ENDS), "passed")
        for case in _cases(test):
            shown[case].outcomes[outcome] += 1
            shown[case].tests.add(_name(test))
    return shown


def _cases(test: ET.Element) -> Iterator[str]:
    for one in test.iter("property"):
        if one.get("name") == "case":
            yield str(one.get("value"))


def _name(test: ET.Element) -> str:
    """Return "api/test_keys.py::test_…", without what a test was tried with."""
    module = str(test.get("classname")).removeprefix("tests.").replace(".", "/")
    return f"{module}.py::{str(test.get('name')).partition('[')[0]}"
