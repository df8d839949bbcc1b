"""P5 and P5b: claims after a long history, and the first page of a long timeline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from statistics import median
from typing import TypeVar
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test import RequestFactory

from identity_tracking import identify, merge
from identity_tracking.admin.history import history
from identity_tracking.models import MergeOperation, Person
from identity_tracking.models.activity import spans
from tests.benchmarks import histories
from tests.benchmarks.ratios import ROUNDS, in_turn, seconds, tell
from tests.costs import cost

SHORT, LONG = 10, 1_000_000  # activities of a browser before it is identified
FEW, MANY = 1_000, 1_000_000  # activities of a person
IDENTIFIERS = 10  # of that person
OTHERS = 500  # browsers beside them: where there are two, PostgreSQL takes either for half of all

Figure = TypeVar("Figure")


def bench() -> None:
    for _ in range(OTHERS):
        histories.write(str(uuid4()), 2 * SHORT)
    short, long = str(uuid4()), str(uuid4())
    histories.write(short, SHORT)
    histories.write(long, LONG)
    _analyze()
    _claims(short, long)
    few = _person(FEW, [str(uuid4()) for _ in range(IDENTIFIERS)])
    many = _person(MANY, [str(uuid4()) for _ in range(IDENTIFIERS)])
    _analyze()
    _timelines(few, many)


def _claims(short: str, long: str) -> None:
    """Two people identify on one browser, are merged, and are parted again."""
    assert _rows_written(short) == _rows_written(long)
    spent: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(ROUNDS + 1):
        for browser in (short, long):
            for name, time in _story(browser, seconds).items():
                if number:  # the first round warms up
                    spent[name, browser].append(time)
    for name in ("identify", "another's claim", "merge", "undo"):
        what = f"{name}, ms after {LONG:,} activities, to after {SHORT}"
        slow, fast = median(spent[name, long]), median(spent[name, short])
        tell("P5", what, 1_000 * slow, 1_000 * fast, most=1.5)


def _rows_written(browser: str) -> dict[str, int]:
    return _story(browser, lambda act: cost(act).rows)


def _story(browser: str, measure: Callable[[Callable[[], object]], Figure]) -> dict[str, Figure]:
    """Return what each step is measured at; nothing of it stays."""
    one, other = str(uuid4()), str(uuid4())
    with transaction.atomic():
        found = {
            "identify": measure(lambda: identify(None, id=one, anonymous_id=browser, plan="pro")),
            "another's claim": measure(lambda: identify(None, id=other, anonymous_id=browser)),
            "merge": measure(lambda: merge(_found(one), _found(other))),
            "undo": measure(lambda: MergeOperation.objects.get(primary=_found(one)).undo()),
        }
        transaction.set_rollback(True)
    return found


def _found(name: str) -> Person:
    return Person.objects.get(user_id=name)


def _person(length: int, browsers: list[str]) -> str:
    """Make a person of ``length`` activities, one of whose browsers another had for a while."""
    name = str(uuid4())
    for browser in browsers:
        histories.write(browser, length // len(browsers))
        identify(None, id=name, anonymous_id=browser, timestamp=histories.part(0.90))
    identify(None, id=str(uuid4()), anonymous_id=browsers[0], timestamp=histories.part(0.91))
    identify(None, id=name, anonymous_id=browsers[0], timestamp=histories.part(0.92))
    return name


def _timelines(few: str, many: str) -> None:
    request = RequestFactory().get("/")
    request.user = get_user_model()(is_superuser=True, is_active=True)

    def first_page(name: str) -> None:
        assert history(request, spans(_found(name)))

    slow, fast = in_turn(
        lambda: seconds(lambda: first_page(many)), lambda: seconds(lambda: first_page(few))
    )
    what = f"first page of a timeline, ms of {MANY:,}, to of {FEW:,}"
    tell("P5b", what, 1_000 * slow, 1_000 * fast, most=2)


def _analyze() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
