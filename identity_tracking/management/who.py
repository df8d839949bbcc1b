"""Whom a command is about, named by one of their identifiers."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandError

from identity_tracking.ingest.transaction import database
from identity_tracking.models import Person

NAMES = ("id", "email", "cio_id", "anonymous_id")


def add_arguments(parser: ArgumentParser) -> None:
    """Let a command be told whom it is about, by one identifier."""
    group = parser.add_mutually_exclusive_group(required=True)
    for name in NAMES:
        group.add_argument(f"--{name.replace('_', '-')}", help=f"the {name} of the person")


def person_of(options: Mapping[str, Any]) -> Person:
    """Return the person that the ``options`` name. Raises CommandError where there is nobody."""
    return find(**{name: options[name] for name in NAMES})


def find(**who: Any) -> Person:
    """Return whom an identifier means. Raises CommandError where that is nobody."""
    person = Person.objects.using(database()).find(**who)
    if person is None:
        raise CommandError("Nobody is known by that.")
    return person


def is_sure(question: str) -> bool:
    """Ask on the terminal, and say whether the answer was yes."""
    return input(f"{question} Type yes to go on: ").strip().lower() == "yes"
