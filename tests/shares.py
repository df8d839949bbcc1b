"""How much of what was tried at random was of each interesting kind: told at the end of a run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import pytest

from tests.reference import Name, Reference, Said

ENOUGH = 300  # examples: of fewer no share is asserted
LEAST = 0.1
CASES = "cases"  # a property: the answers to what was sent to one endpoint at random


@dataclass
class Shares:
    """The number of examples, and of those that had each feature."""

    examples: int = 0
    features: Counter[str] = field(default_factory=Counter)

    def add(self, features: Iterable[str]) -> None:
        self.examples += 1
        self.features.update(set(features))

    def assert_reached(self, *features: str) -> None:
        """Every one of ``features`` was in enough of the examples."""
        few = {one for one in features if self.features[one] < LEAST * self.examples}
        assert self.examples < ENOUGH or not few, str(self)

    def __str__(self) -> str:
        told = [f"{one} {self.features[one] / self.examples:.0%}" for one in sorted(self.features)]
        return f"{self.examples} examples: {', '.join(told)}"


def features(reference: Reference, told: Iterable[Said]) -> Iterator[str]:
    """What messages had that were ``told`` in this order."""
    if any(len({point.person for point in points}) > 1 for points in reference.points.values()):
        yield "contested browsers"
    emails = [claims for weak, claims in reference.claims.items() if weak[0] == "email"]
    if any(len({claim.firm for claim in claims}) > 1 for claims in emails):
        yield "soft against firm emails"
    if reference.kiosks:
        yield "kiosks"
    if has_late_claim(told):
        yield "late claims"


def has_late_claim(told: Iterable[Said]) -> bool:
    """Whether a claim arrived after a later one on the same identifier."""
    latest: dict[Name, int] = {}
    for claim in chain.from_iterable(message.claims for message in told):
        if claim.said.time < latest.get(claim.weak, 0):
            return True
        latest[claim.weak] = claim.said.time
    return False


def tell(terminal: pytest.TerminalReporter) -> None:
    """Write the shares of each test that tells them below the results of the run."""
    sent: list[dict[str, int]] = []
    for report in terminal.getreports(""):  # of setups and teardowns
        for name, value in report.user_properties:
            if name == "shares":
                terminal.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
            if name == CASES:
                sent.append(value)
    if sent:
        terminal.write_line(_answers(sent))


def _answers(sent: list[dict[str, int]]) -> str:
    """Say how many requests were sent, and how they were answered."""
    answers: Counter[str] = sum((Counter(one) for one in sent), Counter())
    told = ", ".join(f"{one} × {answers[one]:,}" for one in sorted(answers))
    return f"{len(sent)} operations, {answers.total():,} requests: {told}"
