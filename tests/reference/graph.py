"""What is shown of people, and the conflicts that are told (R6, R9, R12)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from tests.reference.people import People
from tests.reference.said import Claim, Key, Name, Said
from tests.reference.writing import atoms, attributes, filled, latest, relationships

# (code, value of the identifier, value of the other one, message)
Conflict: TypeAlias = tuple[str, str, str | None, Key | None]


@dataclass(frozen=True)
class Graph:
    """What a set of messages comes to."""

    owner: dict[Key, Name | None] = field(default_factory=dict)
    people: set[Name] = field(default_factory=set)
    id: dict[Name, str | None] = field(default_factory=dict)
    email: dict[Name, str | None] = field(default_factory=dict)
    attributes: dict[Name, dict[str, Any]] = field(default_factory=dict)
    claimed: dict[Name, dict[str, Any]] = field(default_factory=dict)
    relationships: dict[Name, dict[str, dict[str, Any]]] = field(default_factory=dict)
    conflicts: set[Conflict] = field(default_factory=set)


class Reference(People):
    """The rules, over one set of messages, operations and marks."""

    def graph(self) -> Graph:
        graph = Graph()
        graph.people.update(self.groups)
        said: dict[Name, list[Said]] = {person: [] for person in self.anchors}
        for message in self.messages:
            writer = self.writer(message)
            graph.owner[message.key] = self.roots[writer] if writer else None
            said.setdefault(writer or message.head, []).append(message)
        for person, messages in self.told(said).items():
            graph.relationships[person] = relationships(messages)
            if person in graph.people:
                group = self.groups[person]
                graph.id[person] = next(filter(None, (self.id(one, group) for one in group)), None)
                emails = (self.email(one, group) for one in group)
                graph.email[person] = next(filter(None, emails), None)
                graph.attributes[person], graph.claimed[person] = attributes(messages)
        graph.conflicts.update(self.conflicts())
        return graph

    def told(self, said: dict[Name, list[Said]]) -> dict[Name, list[Said]]:
        """What counts of what everybody said, after merges."""
        result = dict(said)
        kept = {person: latest(map(atoms, messages)) for person, messages in said.items()}
        for operation, (into, *_), (gone, *_) in self.effective:
            early = [atom for atom in kept[gone] if atom.said.time < operation.at]
            later = [atom for atom in kept.pop(gone) if atom.said.time >= operation.at]
            kept[into] = latest([filled(kept[into], early, operation.at), later])
            result[into] = [atom.said for atom in kept[into]]
            del result[gone]
        return result

    # R9

    @cached_property
    def called(self) -> dict[Name, list[tuple[Name, bool]]]:
        """The emails that each id is called by, in order, and whether that is proven."""
        called = defaultdict[Name, list[tuple[Name, bool]]](list)
        for message in self.messages:
            emails = [(email, message.email_trusted) for email in message.called]
            called[message.head] += emails
        return called

    @cached_property
    def renamed(self) -> dict[Name, list[Name]]:
        """What messages gave each anchor in the stead of their own name, in order."""
        renamed = defaultdict[Name, list[Name]](list)
        said = [one for one in self.operations if one.is_said]
        for operation in sorted(said, key=lambda one: (one.at, one.id)):
            renamed[operation.primary].append(operation.secondary)
        return renamed

    def id(self, person: Name, group: list[Name]) -> str | None:
        """The id to show of one of a group: the latest that they were given, or their own."""
        if person[0] != "id":
            return None
        return [person, *(one for one in self.renamed[person] if one in group)][-1][1]

    def email(self, person: Name, group: list[Name]) -> str | None:
        """The email to show of one of a group: the latest proven, else the first unproven one."""
        if person[0] == "email":
            renamed = [one for one in self.renamed[person] if self.is_owned(one, group)]
            return [person, *renamed][-1][1]
        called = [one for one in self.called[person] if self.is_owned(one[0], group)]
        proven = [email for email, is_proven in called if is_proven]
        shown = proven[-1:] or [email for email, _ in called[:1]]
        return shown[0][1] if shown else None

    def is_owned(self, email: Name, group: list[Name]) -> bool:
        """Whether an email is a group's at any time."""
        return not self.owners_ever(email).isdisjoint(group)

    def owners_ever(self, email: Name) -> set[Name]:
        times = {-1, *(claim.said.time for claim in self.counting.get(email, []))}
        return {self.owner_of_email(email, time) for time in times}

    # R12

    def conflicts(self) -> Iterable[Conflict]:
        for weak in list(self.claims):
            if weak[0] == "email":
                yield from self.conflicts_of_email(weak)
        for _, browser in self.kiosks:
            yield "too_many_people", browser, None, None
        for message in self.messages:
            if message.refused:
                yield "identifier_refused", message.head[1], None, message.key

    def conflicts_of_email(self, email: Name) -> Iterable[Conflict]:
        counting = first_of_each(self.counting[email])
        for target in list(counting)[1:]:
            yield "email_of_two_ids", email[1], target[1], counting[target]
        for target, key in first_of_each(self.claims[email]).items():
            if target not in counting:
                yield "email_not_counted", email[1], target[1], key


def first_of_each(claims: Iterable[Claim]) -> dict[Name, Key]:
    """The message of each target's first claim, in the order of the claims."""
    first: dict[Name, Key] = {}
    for claim in claims:
        first.setdefault(claim.target, claim.said.key)
    return first
