"""``python -m tests.planted [RUNS] [NAME …]``: plant each bug and count the runs that catch it."""

from __future__ import annotations

import sys
import time

from tests.planted.bugs import bugs


def main(runs: int, names: list[str]) -> int:
    """Print a line a bug; return how many were not caught in every run."""
    chosen = [bug for bug in bugs() if bug.name in names or not names]
    missed = 0
    for bug in chosen:
        began = time.monotonic()
        caught = sum(bug.is_caught() for _ in range(runs))
        each = (time.monotonic() - began) / runs
        tell(f"{caught}/{runs}  {bug.name:<18} {bug.says} ({each:.0f} s a run)")
        missed += caught < runs
    tell(f"{len(chosen) - missed} of {len(chosen)} planted bugs caught in {runs} of {runs} runs")
    return missed


def tell(line: str) -> None:
    """Print a line at once: a run takes a while."""
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main(int((sys.argv[1:] or ["5"])[0]), sys.argv[2:]))
