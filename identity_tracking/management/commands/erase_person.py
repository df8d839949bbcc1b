"""``manage.py erase_person``: delete somebody, and refuse them for ever."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from identity_tracking.exceptions import IdentityTrackingError
from identity_tracking.management import who
from identity_tracking.rights import erase


class Command(BaseCommand):
    help = (
        "Erases a person: deletes all that is kept of them, and refuses every message that names "
        "them from now on. Cannot be undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        who.add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, yes: bool, **options: Any) -> None:
        person = who.person_of(options)
        history = f"{person.activities.count():,} activities"
        names = f"{person.identifiers.count():,} identifiers"
        question = f"Erase {person} for ever, with {history} and {names}?"
        if not yes and not who.is_sure(question):
            raise CommandError("Nothing was erased.")
        try:
            erase(person, by="erase_person")
        except IdentityTrackingError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Erased {person.cio_id}: {history}, {names}.")
