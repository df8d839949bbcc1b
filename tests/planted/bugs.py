"""A planted bug: a patch of the package, with the tests that must catch it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
NEEDED = ("identity_tracking", "tests", "example_project", "pyproject.toml")
GRAPHS = "1500"  # sets of messages: the run ends at the first that shows the bug
FAILED = 1  # pytest's exit code for failed tests: https://docs.pytest.org/en/stable/reference/exit-codes.html
OPTIONS = ("-q", "--exitfirst", "--tb=line", "-p", "no:cacheprovider", "-p", "no:cov")


@dataclass(frozen=True, kw_only=True)
class Bug:
    """One planted bug. ``tests``: what to give pytest."""

    patch: Path
    says: str
    tests: list[str]

    @classmethod
    def read(cls, patch: Path) -> Bug:
        """Read a patch: what the bug does, a line "Caught by: …", and the difference."""
        says, found, _ = re.split(r"\nCaught by: (.+)\n", patch.read_text(), maxsplit=1)
        return cls(patch=patch, says=says.strip(), tests=found.split())

    @property
    def name(self) -> str:
        return self.patch.stem

    def is_caught(self) -> bool:
        """Say whether the tests fail with the bug. Each run draws its examples anew."""
        with self.planted() as place:
            pytest = [sys.executable, "-m", "pytest", *OPTIONS, "--hypothesis-profile=hunt"]
            run = subprocess.run(  # noqa: S603
                [*pytest, *self.tests],
                cwd=place,
                env={**os.environ, "GRAPHS": GRAPHS},
                capture_output=True,
                text=True,
                check=False,
            )
        if run.returncode not in {0, FAILED}:
            raise RuntimeError(f"{self.name}: pytest did not run.\n{run.stdout}{run.stderr}")
        return run.returncode == FAILED

    @contextmanager
    def planted(self) -> Iterator[Path]:
        """Yield a copy of the project with the bug in it."""
        with TemporaryDirectory(prefix=f"planted-{self.name}-") as place:
            for name in NEEDED:
                _copy(ROOT / name, Path(place) / name)
            git = ["git", "apply", "--whitespace=nowarn", str(self.patch)]
            subprocess.run(git, cwd=place, check=True)  # noqa: S603
            yield Path(place)


def bugs() -> list[Bug]:
    """Return all planted bugs, by name."""
    return [Bug.read(patch) for patch in sorted(Path(__file__).parent.glob("*.patch"))]


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        ignored = shutil.ignore_patterns("node_modules", "__pycache__")
        shutil.copytree(source, target, ignore=ignored)
    else:
        shutil.copy(source, target)
