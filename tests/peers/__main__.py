"""Print what our script costs a page, and what others cost it: a table in Markdown.

``ROUNDS`` is how many visits to each page the medians are of. The pages are visited in turn.
"""

from __future__ import annotations

import os
import platform

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings.sqlite")
django.setup()  # what the tests know of this machine stands beside what they know of databases

from tests.peers.collector import collecting  # noqa: E402
from tests.peers.table import HEAD, row, sizes, typical  # noqa: E402
from tests.peers.trackers import ours, peers  # noqa: E402
from tests.peers.visits import Visit, visiting  # noqa: E402

ROUNDS = int(os.environ.get("ROUNDS", "11"))
QUIET = 0.5  # seconds on a page on which nothing happens
LONGER = 2.5  # seconds after the last call has arrived: after two, ours looks for what was left


def main() -> None:
    trackers = [ours(), *peers()]
    without: list[Visit] = []
    idle: list[list[Visit]] = [[] for _ in trackers]
    busy: list[list[Visit]] = [[] for _ in trackers]
    with collecting(trackers) as collector, visiting(collector) as visitor:
        print(machine(visitor.browser.version))
        visitor.visit(None, quiet=QUIET)  # a browser's first time is not a page's
        for _ in range(ROUNDS):
            without.append(visitor.visit(None, quiet=QUIET))
            for index, tracker in enumerate(trackers):
                idle[index].append(visitor.visit_idle(tracker, quiet=QUIET))
                busy[index].append(visitor.visit(tracker, quiet=LONGER))
    print(HEAD)
    for columns in zip(trackers, sizes(trackers), idle, busy, strict=True):
        print(row(*columns, without))
    init = {one.name: typical(visits, "script") for one, visits in zip(trackers, idle, strict=True)}
    print(f"\nOur init is {init['identity_tracking'] / init['Segment']:.2f} of Segment's.")


def machine(version: str) -> str:
    load = f"{os.cpu_count()} CPUs, load {os.getloadavg()[0]:.0f}"
    return f"Chromium {version}, {platform.platform()}, {load}, median of {ROUNDS}"


main()
