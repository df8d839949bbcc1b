"""Whose each identifier is at any time, and who is one person by merges (R1 to R5, R7, R8)."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable
from functools import cached_property
from typing import NamedTuple

from tests.reference.said import CLAIMING, Claim, Key, Name, Operation, Said

FOR_EVER = 2**63


class Point(NamedTuple):
    """A claim on a browser, and whom it means."""

    time: int
    person: Name


class Effect(NamedTuple):
    """An operation that joins two groups, with these groups as they were then."""

    operation: Operation
    into: list[Name]
    gone: list[Name]


class People:
    """Who is who, by one set of messages, operations and marks.

    ``voided`` are the keys of claims that do not count, ``undone`` the operations of messages
    that do not. ``look_back``, in microseconds: how long before a browser's first claim that
    claim reaches; None is for ever.
    """

    def __init__(
        self,
        messages: Iterable[Said],
        operations: Iterable[Operation] = (),
        *,
        voided: Collection[tuple[Key, Name]] = (),
        undone: Collection[str] = (),
        people_per_browser: int = 5,
        look_back: int | None = None,
    ) -> None:
        first: dict[Key, Said] = {}
        for message in messages:
            first.setdefault(message.key, message)  # R1
        self.messages = sorted(first.values(), key=lambda message: message.order)
        self.explicit = list(operations)
        self.voided = frozenset(voided)
        self.undone = frozenset(undone)
        self.limit = people_per_browser
        self.look_back = look_back
        self.claims = defaultdict[Name, list[Claim]](list)  # on each weak identifier, in order
        for message in self.messages:
            for claim in message.claims:
                if claim.key not in self.voided:
                    self.claims[claim.weak].append(claim)

    @cached_property
    def used(self) -> set[Name]:
        """All the identifiers that there are."""
        return {name for message in self.messages for name in message.used}

    # R3 and R4e

    @cached_property
    def known(self) -> set[Name]:
        """The emails that the site itself identified somebody by."""
        proofs = (one for one in self.messages if one.type in CLAIMING and one.trusted)
        return {message.head for message in proofs if message.head[0] == "email"}

    @cached_property
    def counting(self) -> dict[Name, list[Claim]]:
        """The claims on each email that count, in their order."""
        counting = {}
        for weak, claims in self.claims.items():
            firm = [claim for claim in claims if claim.firm]
            counting[weak] = firm or ([] if weak in self.known else claims)
        return counting

    def owner_of_email(self, email: Name, time: int) -> Name:
        claim = self.claim_at(email, time)
        return claim.target if claim else email

    def claim_at(self, email: Name, time: int) -> Claim | None:
        """The claim by which an email is whose it is: the latest by then, else the first."""
        claims = self.counting.get(email)
        latest = bisect_right(claims or [], time, key=lambda claim: claim.said.time) - 1
        return claims[max(latest, 0)] if claims else None

    # R4 and R5

    @cached_property
    def points(self) -> dict[Name, list[Point]]:
        """Whom each claim on each browser means, in the order of the claims."""
        return {
            weak: [Point(claim.said.time, self.target(claim)) for claim in claims]
            for weak, claims in self.claims.items()
            if weak[0] == "anonymous_id"
        }

    def target(self, claim: Claim) -> Name:
        """Whom a claim means."""
        if claim.target[0] == "email":
            return self.owner_of_email(claim.target, claim.said.time)
        return claim.target

    @cached_property
    def kiosks(self) -> set[Name]:
        """The browsers of too many people."""
        ids = {
            browser: {point.person for point in points if point.person[0] == "id"}
            for browser, points in self.points.items()
        }
        return {browser for browser, people in ids.items() if len(people) > self.limit}

    def sides(self, browser: Name, time: int) -> tuple[Name, ...]:
        """Who had a browser last, and who had it next; one where that is certain, or only one."""
        points = self.points.get(browser)
        if not points or browser in self.kiosks:
            return ()
        after = bisect_right(points, time, key=lambda point: point.time)
        if after == 0:
            return () if self.is_too_early(time, points[0]) else (points[0].person,)
        if points[after - 1].time == time:
            return (points[after - 1].person,)
        return tuple(point.person for point in points[after - 1 : after + 1])

    def is_too_early(self, time: int, first: Point) -> bool:
        return self.look_back is not None and first.time - time > self.look_back

    # R7 and R8

    def meant(self, anchor: Name) -> Name:
        """Whom an anchor means: a lead whose email is an id's means who has it last."""
        return self.owner_of_email(anchor, FOR_EVER) if anchor[0] == "email" else anchor

    @cached_property
    def anchors(self) -> list[Name]:
        """Who there would be without any merge."""
        people = {name for name in self.used if name[0] != "anonymous_id"}
        return sorted(person for person in people if self.meant(person) == person)

    @cached_property
    def operations(self) -> list[Operation]:
        """The operations in force, in the order in which they fold."""
        said = [operation for message in self.messages for operation in message.operations]
        live = [operation for operation in self.explicit if operation.live]
        live += [operation for operation in said if operation.id not in self.undone]
        return sorted(live, key=lambda one: (self.is_unproven(one), one.at, one.id))

    def is_unproven(self, operation: Operation) -> bool:
        """Whether an operation rests on the unproven claim that an email is another person's."""
        parties = (operation.primary, operation.secondary)
        claims = [self.claim_at(one, FOR_EVER) for one in parties if one[0] == "email"]
        return any(claim is not None and not claim.firm for claim in claims)

    @cached_property
    def effective(self) -> list[Effect]:
        """The operations that join two groups."""
        group = {person: [person] for person in self.anchors}
        found = []
        for operation in self.operations:
            into, gone = (
                group[self.meant(one)] for one in (operation.primary, operation.secondary)
            )
            two_ids = has_id(into) and has_id(gone)
            if into is gone or (two_ids and self.is_unproven(operation)):
                continue
            found.append(Effect(operation, list(into), list(gone)))
            into += gone
            group |= dict.fromkeys(gone, into)
        return found

    @cached_property
    def groups(self) -> dict[Name, list[Name]]:
        """Who each standing person is: themselves, then whom the merges brought, in order."""
        groups = {person: [person] for person in self.anchors}
        for _, into, gone in self.effective:
            groups[into[0]] = into + gone
            del groups[gone[0]]
        return groups

    @cached_property
    def roots(self) -> dict[Name, Name]:
        return {person: root for root, group in self.groups.items() for person in group}

    def owner(self, message: Said) -> Name | None:
        """Whose a message is, after merges."""
        writer = self.writer(message)
        return self.roots[writer] if writer else None

    def writer(self, message: Said) -> Name | None:
        """Whose a message is by its claims; of a closed gap, whose it was before the gap."""
        if message.head[0] == "id":
            return message.head  # R2
        if message.head[0] == "email":
            return self.owner_of_email(message.head, message.time)
        sides = self.sides(message.head, message.time)
        return sides[0] if len({self.roots[side] for side in sides}) == 1 else None


def has_id(group: Iterable[Name]) -> bool:
    return any(kind == "id" for kind, _ in group)
