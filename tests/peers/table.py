"""The table: a row for each script, from its files and the visits to its page."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

from tests.peers.trackers import Tracker
from tests.peers.visits import Visit

SIZES = Path(__file__).parents[2] / "identity_tracking/sdk/sizes.mjs"
HEAD = """
| script | gzip | brotli | requests of a page view | init | page view | heap |
|---|---|---|---|---|---|---|"""
KINDS = {  # of requests, by method
    "script": ("script", "scripts"),
    "GET": ("settings", "settings"),
    "OPTIONS": ("preflight", "preflights"),
    "POST": ("POST", "POSTs"),
}


def sizes(trackers: list[Tracker]) -> list[dict[str, int]]:
    files = [str(tracker.folder / tracker.script) for tracker in trackers]
    told = subprocess.run(["node", SIZES, *files], check=True, capture_output=True)  # noqa: S603, S607
    return list(json.loads(told.stdout))


def row(
    tracker: Tracker,
    size: dict[str, int],
    idle: Sequence[Visit],
    busy: Sequence[Visit],
    without: Sequence[Visit],
) -> str:
    """Write what the script takes: what runs and is kept without it is left out."""
    cells = [
        f"{tracker.name} {tracker.version}",
        f"{size['gzip']:,}",
        f"{size['brotli']:,}",
        told(busy[0].requests),
        f"{typical(idle, 'script'):.1f} ms",
        f"{typical(busy, 'javascript') - typical(without, 'javascript'):.1f} ms",
        f"{(typical(busy, 'heap') - typical(without, 'heap')) / 1000:,.0f} KB",
    ]
    return f"| {' | '.join(cells)} |"


def typical(visits: Iterable[Visit], measure: str) -> float:
    return float(median(getattr(visit, measure) for visit in visits))


def told(requests: Iterable[tuple[str, str]]) -> str:
    """Say how many requests there were of each kind."""
    kinds = Counter(
        "script" if path.partition("?")[0].endswith(".js") else method for method, path in requests
    )
    return ", ".join(
        f"{kinds[kind]} {one if kinds[kind] == 1 else many}"
        for kind, (one, many) in KINDS.items()
        if kinds[kind]
    )
