"""``manage.py identify_users``: make people of the users that there are already."""

from __future__ import annotations

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from identity_tracking.backfill import message_of
from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidMessage, Unavailable
from identity_tracking.ingest.process import process
from identity_tracking.management.progress import Progress
from identity_tracking.messages import Message

TOLD = {
    "stored": "identified",
    "duplicate": "known as they are",
    "suppressed": "erased, and not identified again",
    "no_id": "without an id",
}


class Command(BaseCommand):
    help = "Identifies every user by USER_ID and USER_ATTRIBUTES. Safe to repeat."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--batch", type=int, default=200, help="users in one transaction")

    def handle(self, *args: Any, batch: int, **options: Any) -> None:
        if not conf.ENABLED:
            raise CommandError("ENABLED is False: nothing is recorded. Set it to True first.")
        if batch < 1:
            raise CommandError("--batch is 1 or more.")
        users = get_user_model()._default_manager.order_by("pk")
        counts: Counter[str] = Counter()
        with Progress(self.stderr, "Users", users.count()) as progress:
            walk = progress.over(users.iterator(chunk_size=batch))
            while messages := list(islice(_messages(walk, counts), batch)):
                self.identify(messages, counts)
        for code, count in counts.items():
            self.stdout.write(f"{count:,} {TOLD.get(code, f'refused: {code}')}.")

    def identify(self, messages: list[Message], counts: Counter[str]) -> None:
        try:
            outcomes = process(messages)
        except Unavailable as error:
            raise CommandError(f"{error} Run it again: it goes on.") from error
        counts.update(outcome.value for outcome in outcomes)


def _messages(users: Iterable[Any], counts: Counter[str]) -> Iterator[Message]:
    """Yield a message a user, and count who gets none, and why."""
    for user in users:
        try:
            message = message_of(user)
        except InvalidMessage as error:
            counts[error.code] += 1
            continue
        if message is None:
            counts["no_id"] += 1
        else:
            yield message
