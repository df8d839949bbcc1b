"""``manage.py prune``: let go of what was kept long enough. For cron, once a day."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from identity_tracking.ingest.transaction import database
from identity_tracking.management.progress import Progress
from identity_tracking.privacy import retention


class Command(BaseCommand):
    help = (
        "Deletes what is older than RETAIN_ANONYMOUS, RETAIN_PEOPLE and RETAIN_FAILED, and what "
        "nobody uses any more. Can be stopped at any time, and goes on when it is run again."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--limit", type=int, help="delete at most so many rows")
        parser.add_argument("--dry-run", action="store_true", help="only count; delete nothing")

    def handle(self, *args: Any, limit: int | None, dry_run: bool, **options: Any) -> None:
        if limit is not None and limit < 0:
            raise CommandError("--limit is 0 or more.")
        counts: Counter[str] = Counter()
        steps = retention.prune(database(), now=timezone.now(), limit=limit, dry_run=dry_run)
        with Progress(self.stderr, "Pruned", limit) as progress:
            for step in steps:
                counts[step.what] += step.rows
                progress.advance(step.rows)
        verb = "Would delete" if dry_run else "Deleted"
        for what in retention.Kept:
            self.stdout.write(f"{verb} {counts[what]:,} {what}.")
