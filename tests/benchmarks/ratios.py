"""Take measures in turn, and say how they compare."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from statistics import median

ROUNDS = 9


def seconds(act: Callable[[], object]) -> float:
    """Return the seconds that ``act`` takes."""
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def in_turn(*measures: Callable[[], float], rounds: int = ROUNDS) -> list[float]:
    """Return the median of each measure, taken in turn so that all share the machine's drift.

    The first round warms up and does not count.
    """
    taken = [[measure() for measure in measures] for _ in range(rounds + 1)][1:]
    return [median(figures) for figures in zip(*taken, strict=True)]


def tell(
    goal: str, what: str, figure: float, reference: float, *, least: float = 0, most: float = 0
) -> None:
    """Print the ratio of ``figure`` to ``reference``, and whether it keeps within its bar."""
    ratio = figure / reference
    held = ratio >= least if least else ratio <= most
    bar = f"≥ {least:g}" if least else f"≤ {most:g}"
    print(
        f"{goal:4} {what:58} {figure:10.4g} : {reference:10.4g} = {ratio:6.2f}"
        f"   bar {bar:6} {'held' if held else 'MISSED'}   load {os.getloadavg()[0]:.1f}",
        flush=True,
    )


def progress(what: str) -> None:
    print(f"     … {what}", flush=True)
