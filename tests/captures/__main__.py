"""Send recorded traffic again, and tell what it makes: ``python -m tests.captures [FILE …]``.

Each file (of a folder all) on a database of its own, the recordings of ours unless others are
named. ``--refused``: also what was refused when it was recorded.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings.sqlite")
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test.utils import (  # noqa: E402
    setup_databases,
    setup_test_environment,
    teardown_databases,
)

from tests.captures.exchanges import recorded  # noqa: E402
from tests.captures.replaying import people, replay  # noqa: E402


def main(paths: list[Path], *, refused: bool) -> None:
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "SUPPRESSION_KEY": "of a replay"}
    with _database():
        for file in (file for path in paths for file in _files(path)):
            print(f"{file.name}: {replay(recorded(file), refused=refused)}")
            print(people())
            call_command("flush", interactive=False, verbosity=0)


def _files(path: Path) -> list[Path]:
    return sorted(path.glob("*.jsonl")) if path.is_dir() else [path]


@contextmanager
def _database() -> Iterator[None]:
    setup_test_environment()
    made = setup_databases(verbosity=0, interactive=False)
    yield
    teardown_databases(made, verbosity=0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[Path(__file__).parent])
    parser.add_argument("--refused", action="store_true")
    options = parser.parse_args()
    main(options.paths, refused=options.refused)
