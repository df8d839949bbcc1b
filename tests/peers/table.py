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
| script | gzip | brotli | requests of a page view | its file | all JavaScript | heap |
|---|---|---|---|---|---|---|"""
KINDS = {  # of requests, by method
    "script": "script",
    "GET": "settings",
    "OPTIONS": "preflight",
    "POST": "POST",
}


def sizes(trackers: list[Tracker]) -> list[dict[str, int]]:
    files = [str(tracker.folder / tracker.script) for tracker in trackers]
    told = subprocess.run(["node", SIZES, *files], check=True, capture_output=True)  # noqa: S603, S607
    return list(json.loads(told.stdout))


def row(
    tracker: Tracker, size: dict[str, int], seen: Sequence[Visit], without: Sequence[Visit]
) -> str:
    """Write what the script takes: what runs and is kept without it is left out."""
    cells = [
        f"{tracker.name} {tracker.version}",
        f"{size['gzip']:,}",
        f"{size['brotli']:,}",
        told(seen[0].requests),
        f"{typical(seen, 'evaluation'):.1f} ms",
        f"{typical(seen, 'javascript') - typical(without, 'javascript'):.1f} ms",
        f"{(typical(seen, 'heap') - typical(without, 'heap')) / 1000:,.0f} KB",
    ]
    return f"| {' | '.join(cells)} |"


def typical(visits: Iterable[Visit], measure: str) -> float:
    return float(median(getattr(visit, measure) for visit in visits))


def told(requests: Iterable[tuple[str, str]]) -> str:
    """Say how many requests there were of each kind."""
    kinds = Counter(
        "script" if path.partition("?")[0].endswith(".js") else method for method, path in requests
    )
    return ", ".join(f"{kinds[kind]} {name}" for kind, name in KINDS.items() if kinds[kind])
