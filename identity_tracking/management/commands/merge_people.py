"""``manage.py merge_people``: say that two people are one human. It can be undone."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from identity_tracking.exceptions import IdentityTrackingError
from identity_tracking.management import who
from identity_tracking.shortcuts import merge


class Command(BaseCommand):
    help = (
        "Merges two people, each named by an id, an email or a cio_id (cio_…). All of the "
        "secondary's becomes the primary's. In the admin the merge can be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("primary")
        parser.add_argument("secondary")
        parser.add_argument("--reason", default="", help="is kept with the merge")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(
        self, *args: Any, primary: str, secondary: str, reason: str, yes: bool, **options: Any
    ) -> None:
        one, other = who.find(id=primary), who.find(id=secondary)
        if not yes and not who.is_sure(f"Make {other} ({secondary}) part of {one} ({primary})?"):
            raise CommandError("Nobody was merged.")
        try:
            operation = merge(one, other, by="merge_people", reason=reason)
        except IdentityTrackingError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Merged {other.cio_id} into {one.cio_id} by operation {operation.pk}.")
