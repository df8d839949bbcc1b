"""The package against the reference model, after every step of arbitrary histories.

Steps are deliveries (with repeats), merges, undos, voided and restored claims, and deletions.
``GRAPHS=10000 pytest tests/identity/test_machine.py`` tries a third as many histories.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, TypeVar

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from identity_tracking.identity import merge as merging
from identity_tracking.identity import voiding
from identity_tracking.identity.deletion import delete
from identity_tracking.ingest.process import process
from identity_tracking.models import Claim, MergeOperation, Person
from tests.comparing import (
    as_message,
    assert_canonical,
    assert_same,
    assert_sound,
    key_of,
    moment_of,
    with_operations,
)
from tests.reference import Key, Name, Operation, Reference, Said, without
from tests.shares import Shares, features
from tests.stories import ANCHORS, LIMIT, LOOK_BACK, instants, messages

EXAMPLES = int(os.environ.get("GRAPHS", "200")) // 3
STEPS = 12
USING = "default"

T = TypeVar("T")
anything = st.integers(0, 10_000)  # the number of one among however many there are


class Machine(RuleBasedStateMachine):
    """A package and a model that are told the same."""

    apply: ClassVar[Callable[..., None]]  # sets how far back a first claim reaches
    shares: ClassVar[Shares]

    def __init__(self) -> None:
        super().__init__()
        self.had: set[str] = set()
        self.agreed = True
        self.sent: list[Said] = []
        self.graph = Reference([])
        self.transaction = transaction.atomic()
        self.transaction.__enter__()

    @initialize(look_back=st.sampled_from([None, None, LOOK_BACK]))
    def begin(self, look_back):
        self.apply(look_back)
        self.graph = Reference([], people_per_browser=LIMIT, look_back=look_back)

    # What may happen

    @rule(batch=st.lists(messages(), min_size=1, max_size=5), again=st.lists(anything, max_size=2))
    def deliver(self, batch, again):
        batch += [pick(self.sent, number) for number in again if self.sent]
        process([as_message(one) for one in batch])
        self.sent += batch
        self.know(messages=[*self.graph.messages, *batch])
        self.know(messages=with_operations(self.graph.messages))

    @precondition(lambda self: self.sent)
    @rule(again=st.lists(anything, min_size=1, max_size=5))
    def deliver_again(self, again):
        self.deliver([], again)

    @precondition(lambda self: len({*ANCHORS} & self.graph.used) > 1)
    @rule(numbers=st.tuples(anything, anything), at=instants(8))
    def merge(self, numbers, at):
        primary = pick(known := sorted({*ANCHORS} & self.graph.used), numbers[0])
        secondary = pick([name for name in known if name != primary], numbers[1])
        one, other = (Person.objects.get(pk=key_of(name)) for name in (primary, secondary))
        at += len(self.graph.explicit)
        done = merging.merge(one, other, at=moment_of(at), by="", reason="", using=USING)
        operation = Operation(primary=primary, secondary=secondary, at=at, id=done.pk.hex)
        self.know(operations=[*self.graph.explicit, operation])

    @precondition(lambda self: self.graph.operations)
    @rule(number=anything)
    def undo(self, number):
        self.take_back(pick(self.graph.operations, number))

    @precondition(lambda self: self.graph.effective)
    @rule(number=anything)
    def undo_what_joined_two(self, number):
        self.take_back(pick(self.graph.effective, number).operation)

    def take_back(self, operation):
        if any(one.operation == operation for one in self.graph.effective):
            self.had.add("undone operations")
        merging.undo(MergeOperation.objects.get(pk=operation.id), by="", using=USING)
        explicit = self.graph.explicit
        self.know(
            operations=[replace(one, live=one.live and one != operation) for one in explicit],
            undone=self.graph.undone | {operation.id},
        )

    @precondition(lambda self: any(self.graph.claims.values()))
    @rule(number=anything)
    def void(self, number):
        claims = [claim.key for claims in self.graph.claims.values() for claim in claims]
        claim = pick(claims, number)
        voiding.void(row_of(*claim), by="", reason="", using=USING)
        self.had.add("voided claims")
        self.know(voided=self.graph.voided | {claim})

    @precondition(lambda self: self.graph.voided)
    @rule(number=anything)
    def restore(self, number):
        claim = pick(sorted(self.graph.voided), number)
        voiding.restore(row_of(*claim), using=USING)
        self.know(voided=self.graph.voided - {claim})

    @precondition(lambda self: self.graph.groups)
    @rule(number=anything)
    def delete(self, number):
        person = pick(sorted(self.graph.groups), number)
        delete(Person.objects.get(pk=key_of(person)), using=USING)
        self.had.add("deletions")
        self.graph = without(self.graph, person)

    def know(self, **more):
        """Take note of more messages, operations or marks."""
        known = {
            "messages": self.graph.messages,
            "operations": self.graph.explicit,
            "voided": self.graph.voided,
            "undone": self.graph.undone,
            "people_per_browser": self.graph.limit,
            "look_back": self.graph.look_back,
        }
        self.graph = Reference(**{**known, **more})
        self.had |= set(features(self.graph, self.sent))

    # What must hold

    @invariant()
    def the_package_says_what_the_model_says(self):
        self.agreed = False
        assert_same(self.graph)
        assert_canonical()
        self.agreed = True

    def teardown(self):
        try:
            if self.agreed:
                self.end()
        finally:
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

    def end(self):
        """With everything taken back, all is as if it had never been."""
        assert_sound(self.graph)
        self.take_everything_back()
        assert_same(self.graph)
        assert_sound(self.graph)
        self.shares.add(self.had)

    def take_everything_back(self):
        for claim in Claim.objects.exclude(voided_at=None):
            voiding.restore(claim, using=USING)
        for operation in MergeOperation.objects.live():
            merging.undo(operation, by="", using=USING)
        undone = {one.id for message in self.graph.messages for one in message.operations}
        self.know(operations=[], voided=(), undone=undone)


def pick(some: Sequence[T], number: int) -> T:
    return some[number % len(some)]


def row_of(key: Key, weak: Name) -> Claim:
    source, trusted, message_id = key
    return Claim.objects.get(
        weak=key_of(weak), source=source, trusted=trusted, message_id=message_id
    )


@pytest.mark.django_db
def test_any_history_is_what_the_rules_say_after_every_step(shares, rules):
    run_state_machine_as_test(
        type("Machine", (Machine,), {"apply": staticmethod(rules), "shares": shares}),
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, report_multiple_bugs=False
        ),
    )

    shares.assert_reached(
        "contested browsers", "late claims", "soft against firm emails", "undone operations"
    )
