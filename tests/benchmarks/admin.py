"""P6: the admin of a large site, beside that of a small one: time, queries and plans.

``PEOPLE=1000000 make bench`` makes the large one as large as the goal has it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection, connections
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext, override_settings
from django.urls import reverse

from tests.benchmarks.plans import of_activities, scans
from tests.benchmarks.population import EACH, Member, Population
from tests.benchmarks.ratios import in_turn, progress, seconds, tell

PEOPLE = int(os.environ.get("PEOPLE", "100000"))
FEW = 10_000
QUERIES = 15
LIST = "admin:identity_tracking_{}_changelist"

Ask = Callable[[Member], tuple[str, dict[str, str]]]


class Chosen:
    """A router to the site whose turn it is."""

    alias = "default"

    def db_for_read(self, model: type[Model], **hints: Any) -> str:
        return Chosen.alias

    db_for_write = db_for_read


class Site:
    """People in a database of their own, and somebody who looks at them in the admin."""

    def __init__(self, people: int, alias: str) -> None:
        self.alias = alias
        self.population = Population(people, alias)
        self.turns = count(people // 6)
        self.client = Client()

    def open(self) -> None:
        self.population.write()
        Chosen.alias = self.alias
        users: Any = get_user_model()._default_manager
        self.client.force_login(users.create_superuser("staff", "staff@shop.example", "secret"))

    def read(self, ask: Ask) -> None:
        """Open a page, for whoever's turn it is, and let no cache answer."""
        Chosen.alias = self.alias
        cache.clear()
        path, query = ask(self.population.member(2 * next(self.turns)))
        answer = self.client.get(path, query)
        assert answer.status_code == 200, (path, answer.status_code)

    def queries(self, ask: Ask) -> list[str]:
        with CaptureQueriesContext(connections[self.alias]) as captured:
            self.read(ask)
        return [one["sql"] for one in captured.captured_queries]


def bench() -> None:
    untracked = {**settings.IDENTITY_TRACKING, "ENABLED": False}  # the staff's own log-in
    with (
        _site(PEOPLE, "large") as large,
        _site(FEW, "small") as small,
        override_settings(DATABASE_ROUTERS=[Chosen()], IDENTITY_TRACKING=untracked),
    ):
        for site in (small, large):
            site.open()
        for what, ask in PAGES.items():
            _compare(what, ask, large, small)
        amiss = [one for what, ask in PAGES.items() for one in _amiss(what, ask, large)]
    assert not amiss, amiss


def _compare(what: str, ask: Ask, large: Site, small: Site) -> None:
    slow, fast = in_turn(
        lambda: seconds(lambda: large.read(ask)), lambda: seconds(lambda: small.read(ask))
    )
    said = f"{what}, ms at {PEOPLE * EACH:,}, to at {FEW * EACH:,}"
    tell("P6", said, 1_000 * slow, 1_000 * fast, most=2)


def _amiss(what: str, ask: Ask, site: Site) -> list[str]:
    """Tell the queries of a page and how they read activities; return what must not be."""
    asked = site.queries(ask)
    ways = of_activities(asked, site.alias)
    progress(f"{what}: {len(asked)} queries; of activities: {', '.join(ways) or 'none'}")
    wrong = [f"{what}: {way}" for way in scans(ways)]
    return wrong if len(asked) <= QUERIES else [*wrong, f"{what}: {len(asked)} queries"]


@contextmanager
def _site(people: int, alias: str) -> Iterator[Site]:
    """Make a site in a database of its own, beside the one at hand."""
    with tempfile.TemporaryDirectory() as home, ExitStack() as undo:
        made = deepcopy(connections.databases["default"])
        is_file = connection.vendor == "sqlite"
        made["NAME"] = str(Path(home) / alias) if is_file else f"{alias}_site"
        made["TEST"]["NAME"] = made["NAME"] if is_file else None
        connections.databases[alias] = made
        creation = connections[alias].creation
        creation.create_test_db(verbosity=0, autoclobber=True)
        undo.callback(creation.destroy_test_db, made["NAME"], verbosity=0)
        yield Site(people, alias)


def _list(model: str, **query: str) -> Ask:
    return lambda member: (reverse(LIST.format(model)), query)


def _search(model: str, name: Callable[[Member], str]) -> Ask:
    return lambda member: (reverse(LIST.format(model)), {"q": name(member)})


def _person(member: Member) -> tuple[str, dict[str, str]]:
    key = member.refs[0].key
    return reverse("admin:identity_tracking_person_change", args=[key]), {}


def _overview(member: Member) -> tuple[str, dict[str, str]]:
    return reverse("admin:identity_tracking_overview"), {}


def _yesterday(member: Member) -> tuple[str, dict[str, str]]:
    day = datetime.now(UTC).date() - timedelta(days=1)
    return reverse(LIST.format("activity")), {"on": str(day)}


PAGES: dict[str, Ask] = {
    "front page": _overview,
    "people": _list("person"),
    "people, by id": _search("person", lambda member: member.id),
    "people, by email": _search("person", lambda member: member.email),
    "people, by anonymous id": _search("person", lambda member: member.browser),
    "people, the leads": _list("person", **{"is": "lead"}),
    "people, seen before": _list("person", seen="before"),
    "people, of a plan": _list("person", attribute="plan", value="pro"),
    "a person": _person,
    "visitors": _list("identifier"),
    "activities": _list("activity"),
    "activities, by browser": _search("activity", lambda member: member.browser),
    "activities, identifies": _list("activity", type="identify"),
    "activities, yesterday": _yesterday,
}
