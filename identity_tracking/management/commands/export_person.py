"""``manage.py export_person``: a copy of all that is kept of somebody."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from contextlib import nullcontext
from pathlib import Path
from typing import Any, TextIO, cast

from django.core.management.base import BaseCommand, CommandError

from identity_tracking.ingest.transaction import database
from identity_tracking.management import who
from identity_tracking.management.progress import Progress
from identity_tracking.privacy import export

WRITERS = {
    "json": lambda person, out: export.write_json(person, out, database()),
    "csv": export.write_csv,
}
OWNER_ONLY = 0o600  # it is somebody's whole life on the site


class Command(BaseCommand):
    help = "Writes all that is kept of a person as JSON, or their timeline as CSV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        who.add_arguments(parser)
        parser.add_argument("--format", dest="kind", choices=WRITERS, default="json")
        parser.add_argument("--output", type=Path, help="a file; without it, the terminal")

    def handle(self, *args: Any, kind: str, output: Path | None, **options: Any) -> None:
        person = who.person_of(options)
        total = person.activities.count()
        self.stdout.ending = ""
        with (
            _opened(output) if output else nullcontext(cast(TextIO, self.stdout)) as out,
            Progress(self.stderr, "Activities", total) as progress,
        ):
            for step in WRITERS[kind](person, out):
                progress.advance(step)


def _opened(path: Path) -> TextIO:
    """Open a new file that only its owner may read, also where there was one."""
    try:
        path.unlink(missing_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror}.") from error
    return os.fdopen(descriptor, "w", encoding="utf-8", newline="")
