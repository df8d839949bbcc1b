"""Print what our script costs a page, and what others cost it: a table in Markdown.

``ROUNDS`` is how many visits to each page the medians are of. The pages are visited in turn.
"""

from __future__ import annotations

import os
import platform

from tests.peers.collector import collecting
from tests.peers.table import HEAD, row, sizes
from tests.peers.trackers import Tracker, ours, peers
from tests.peers.visits import Visit, visiting

ROUNDS = int(os.environ.get("ROUNDS", "11"))
QUIET = 2.5  # seconds after the last call has arrived: after two, ours looks for what was left over


def main() -> None:
    trackers = [ours(), *peers()]
    without, *visits = measure(trackers)
    print(HEAD)
    for tracker, size, seen in zip(trackers, sizes(trackers), visits, strict=True):
        print(row(tracker, size, seen, without))


def measure(trackers: list[Tracker]) -> list[list[Visit]]:
    """Return the visits to each page, first those to the page without a script."""
    pages = [None, *trackers]
    visits: list[list[Visit]] = [[] for _ in pages]
    with collecting(trackers) as collector, visiting(collector) as visitor:
        system = f"{platform.platform()}, {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.0f}"
        print(f"Chromium {visitor.browser.version}, {system}, median of {ROUNDS}")
        for tracker in pages:
            visitor.visit(tracker, quiet=0)  # a browser's first time is not a page's
        for _ in range(ROUNDS):
            for tracker, seen in zip(pages, visits, strict=True):
                seen.append(visitor.visit(tracker, quiet=QUIET))
    return visits


main()
