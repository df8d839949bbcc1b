"""``python -m tests.attacks [OPTION OF PYTEST …]``: each case on each database, as a table."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence

from tests.attacks.cases import NOT_SHOWN, WORDS
from tests.attacks.trying import Shown, attempt

DATABASES = ("sqlite", "postgres", "mariadb")


def main(options: Sequence[str]) -> int:
    """Print the table; return how many cases failed somewhere."""
    tried = {database: attempt(database, options) for database in DATABASES}
    print("\n".join(table(tried)))  # noqa: T201
    failed = {case for shown in tried.values() for case in shown if shown[case].outcomes["failed"]}
    return len(failed)


def table(tried: Mapping[str, Mapping[str, Shown]]) -> Iterator[str]:
    yield f"| case | what is tried | {' | '.join(tried)} | shown by |"
    yield "|---" * (len(tried) + 3) + "|"
    for case, words in WORDS.items():
        found = [shown.get(case, Shown()) for shown in tried.values()]
        cells = [str(one) or "–" for one in found]
        yield f"| {case} | {words} | {' | '.join(cells)} | {_shown_by(case, found)} |"
    yield ""
    yield summary(tried)


def summary(tried: Mapping[str, Mapping[str, Shown]]) -> str:
    counts = []
    for database, shown in tried.items():
        whole = [case for case in shown if shown[case].outcomes["passed"]]
        failed = [case for case in shown if shown[case].outcomes["failed"]]
        counts.append(f"{database}: {len(whole)} shown, {len(failed)} failed")
    return f"{len(WORDS)} cases. " + "; ".join(counts) + "."


def _shown_by(case: str, found: Sequence[Shown]) -> str:
    tests = sorted({f"`{test}`" for one in found for test in one.tests})
    missing = [f"not shown: {NOT_SHOWN[case]}"] if case in NOT_SHOWN else []
    return "<br>".join([*tests, *missing])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
