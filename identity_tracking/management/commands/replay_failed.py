"""``manage.py replay_failed``: try again what could not be accepted."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from typing import Any

from django.core.management.base import BaseCommand

from identity_tracking.api.replay import Replay, replay
from identity_tracking.ingest.transaction import database
from identity_tracking.management.progress import Progress
from identity_tracking.models import FailedEvent


class Command(BaseCommand):
    help = "Processes failed events again, and deletes those that are accepted now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--code", help="only those that failed for this reason")

    def handle(self, *args: Any, code: str | None, **options: Any) -> None:
        failed = FailedEvent.objects.using(database()).order_by("pk")
        if code:
            failed = failed.filter(code=code)
        counts: Counter[str] = Counter()
        with Progress(self.stderr, "Failed events", failed.count()) as progress:
            for key in progress.over(list(failed.values_list("pk", flat=True))):
                counts.update(replay(event) for event in failed.filter(pk=key))
        for outcome in Replay:
            self.stdout.write(f"{counts[outcome]:,} {outcome}.")
