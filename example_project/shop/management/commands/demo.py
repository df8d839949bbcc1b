"""Fill the shop with a week of visitors, and serve it."""

from __future__ import annotations

import secrets
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, reset_queries, transaction
from django.utils import timezone

from example_project.bulk import write
from example_project.cast import MAYA, TOLD
from example_project.crowd import crowd
from example_project.week import PASSERS_BY, customers, letters, tell
from identity_tracking.ingest.process import process
from identity_tracking.messages import Message, Outcome
from identity_tracking.models import Activity, Conflict, Identifier, ObjectRelationship, Person

BATCH = 400  # messages in one transaction
CROWD = 500  # people in one transaction, of those who come once
BAR = 30  # characters
EVERY = 10  # seconds, between two lines of progress where there is no terminal


class Command(BaseCommand):
    help = "Fills the shop with a week of visitors, makes an administrator, and serves both."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--people",
            type=int,
            default=40,
            help=f"how many; each of the first {TOLD} comes with {PASSERS_BY} passers-by, and a"
            " story; the others come once, each with one passer-by: 100000 take minutes",
        )
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--no-serve", action="store_true", help="fill in only")

    def handle(self, *args: Any, people: int, port: int, no_serve: bool, **options: Any) -> None:
        started = time.monotonic()
        call_command("migrate", interactive=False, verbosity=0)
        hasten()
        password = secrets.token_urlsafe(9)
        now = timezone.now()
        ids = make_users(people, now, password)
        new = self.fill(now, ids, people)
        self.summarize(new, time.monotonic() - started)
        self.welcome(f"http://127.0.0.1:{port}", password, serve=not no_serve)
        if not no_serve:
            call_command("runserver", f"127.0.0.1:{port}", use_reloader=False)

    def fill(self, now: datetime, ids: dict[str, str], people: int) -> int:
        """Process the week; return how many messages were new."""
        week = tell(now, ids, people)
        for who, joined in week.joined.items():
            fresh = User.objects.filter(username=who.username, date_joined=now)
            fresh.update(date_joined=joined)
        calls = [call for _, call in sorted(week.calls, key=lambda planned: planned[0])]
        new = self.step("What visitors did", week.messages, _processed)
        new += self.step("What the shop knows", calls, _called)
        new += self.step("Who opened the letter", letters(week, people), _processed)
        others = range(TOLD, people)
        return new + self.step(
            "Who came once", others, lambda some: write(crowd(now, ids, some)), CROWD, "people"
        )

    def step(
        self,
        title: str,
        items: Sequence[Any],
        work: Callable[[Any], int],
        size: int = BATCH,
        unit: str = "messages",
    ) -> int:
        """Work on ``items`` in batches; show a bar on a terminal, and else some lines."""
        self.told_at, new = time.monotonic(), 0
        for start in range(0, len(items), size):
            new += work(items[start : start + size])
            reset_queries()  # with DEBUG Django keeps their text, here that of large inserts
            self.show(title, min(start + size, len(items)), len(items), unit)
        return new

    def show(self, title: str, done: int, total: int, unit: str) -> None:
        if self.stdout.isatty():
            bar = ("━" * (BAR * done // total)).ljust(BAR, "·")
            end = "\n" if done == total else ""
            self.stdout.write(f"\r{title:<22} {bar} {done:>7,} of {total:,} {unit}", ending=end)
            self.stdout.flush()
        elif done == total:
            self.stdout.write(f"{title}: {total:,} {unit}")
        elif time.monotonic() - self.told_at >= EVERY:
            self.told_at = time.monotonic()
            self.stdout.write(f"{title}: {done:,} of {total:,} {unit}")

    def summarize(self, new: int, seconds: float) -> None:
        relationships = ObjectRelationship.objects.count()
        visitors = Identifier.objects.visitors().unowned().count()
        self.stdout.write(
            f"\n{new:,} new messages in {seconds:.1f} s. There are now:\n"
            f"  {Person.objects.identified().count():>6,} people with an account\n"
            f"  {Person.objects.leads().count():>6,} people known by email alone\n"
            f"  {visitors:>6,} visitors who are still anonymous\n"
            f"  {Activity.objects.count():>6,} things they did\n"
            f"  {relationships:>6,} relationships to orders, courses, companies\n"
            f"  {Conflict.objects.count():>6,} conflicts to look at\n"
        )

    def welcome(self, address: str, password: str, *, serve: bool) -> None:
        bold = self.style.MIGRATE_HEADING
        where = "" if serve else "  (start it with: manage.py runserver)"
        self.stdout.write(
            f"{bold('The shop')}   {address}/{where}\n"
            "           Look around in a private window, then sign up: the admin shows all of it.\n"
            f"           Or log in as {bold(MAYA.username)}, with the password below.\n"
            f"{bold('The admin')}  {address}/admin/\n"
            f"           user {bold('admin')}, password {bold(password)}  (a new one each time)\n"
        )


def hasten() -> None:
    """Let SQLite wait for no disk on this connection: what a crash may lose a second run adds."""
    if connection.vendor == "sqlite" and not connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA synchronous=OFF")
            cursor.execute("PRAGMA cache_size=-262144")  # KiB


def make_users(people: int, now: datetime, password: str) -> dict[str, str]:
    """Make the customers' accounts, and admin's; return their ids by username. Safe to repeat."""
    accounts = list(customers(people))
    User.objects.bulk_create(
        [
            User(
                username=one.username,
                first_name=one.first_name,
                last_name=one.last_name,
                email=one.email,
                password=make_password(None),
                date_joined=one.joined_at(now),
            )
            for one in accounts
        ],
        ignore_conflicts=True,
    )
    hashed = make_password(password)
    User.objects.filter(username=MAYA.username).update(password=hashed)
    names = {"first_name": "Robin", "last_name": "Admin", "email": "admin@example.com"}
    rights = {"is_staff": True, "is_superuser": True, "is_active": True}
    User.objects.update_or_create(
        username="admin", defaults={"password": hashed, **names, **rights}
    )
    wanted = {one.username for one in accounts}
    users = User.objects.values_list("username", "pk").iterator()
    return {username: str(pk) for username, pk in users if username in wanted}


def _processed(messages: Sequence[Message]) -> int:
    return process(messages).count(Outcome.STORED)


def _called(calls: Iterable[Callable[[], Any]]) -> int:
    """Make calls of the public API in one transaction; return how many of them were new."""
    before = Activity.objects.count()
    with transaction.atomic():
        for call in calls:
            call()
    return Activity.objects.count() - before
