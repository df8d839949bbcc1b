"""The identity rules once more, in the plainest Python, to compare the package with.

Written from docs/identity.md alone: it imports nothing of the package, keeps no state, and
computes everything anew from the whole set of messages. People are named by their anchor:
``("id", "42")`` or ``("email", "ada@example.com")``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Name: TypeAlias = tuple[str, str]  # ("id" | "email" | "anonymous_id", value)
Order: TypeAlias = tuple[int, str, bool, str]

CLAIMING = {"identify", "form", "link"}


@dataclass(frozen=True, kw_only=True)
class Said:
    """One accepted message, in the words of the rules."""

    type: str
    time: int  # microseconds since 1970
    message_id: str
    source: str = "shop"
    trusted: bool = False
    email_trusted: bool = False
    id: str | None = None
    email: str | None = None
    anonymous_id: str | None = None
    previous: str | None = None
    attributes: tuple[tuple[str, Any], ...] = ()
    relations: tuple[tuple[str, bool, tuple[tuple[str, Any], ...]], ...] = ()

    @property
    def key(self) -> tuple[str, bool, str]:
        return self.source, self.trusted, self.message_id

    @property
    def order(self) -> Order:
        return self.time, self.message_id, self.trusted, self.source

    @property
    def head(self) -> Name:
        for kind in ("id", "email", "anonymous_id"):
            if value := getattr(self, kind):
                return kind, value
        raise AssertionError("names nobody")


@dataclass(frozen=True)
class Graph:
    """What a set of messages comes to."""

    owner: dict[tuple[str, bool, str], Name | None] = field(default_factory=dict)
    people: set[Name] = field(default_factory=set)
    email: dict[Name, str | None] = field(default_factory=dict)
    attributes: dict[Name, dict[str, Any]] = field(default_factory=dict)
    claimed: dict[Name, dict[str, Any]] = field(default_factory=dict)
    relationships: dict[Name, dict[str, dict[str, Any]]] = field(default_factory=dict)
    conflicts: set[tuple[str, str]] = field(default_factory=set)  # (code, identifier's value)


class Reference:
    """The rules, over one set of messages."""

    def __init__(self, messages: Iterable[Said], *, people_per_browser: int = 5) -> None:
        first: dict[tuple[str, bool, str], Said] = {}
        for message in messages:
            first.setdefault(message.key, message)  # R1
        self.messages = sorted(first.values(), key=lambda message: message.order)
        self.limit = people_per_browser

    # R3

    def email_claims(self, email: str) -> list[tuple[Order, str, bool]]:
        return [
            (message.order, message.id, message.email_trusted)
            for message in self.messages
            if message.type in CLAIMING and message.id and message.email == email
        ]

    def is_known(self, email: str) -> bool:
        return any(
            message.type in CLAIMING and message.trusted and message.head == ("email", email)
            for message in self.messages
        )

    def counting_claims(self, email: str) -> list[tuple[Order, str]]:
        claims = self.email_claims(email)
        firm = [(order, id) for order, id, is_firm in claims if is_firm]
        if firm:
            return firm
        return [] if self.is_known(email) else [(order, id) for order, id, _ in claims]

    def browser_claims(self, anonymous_id: str) -> list[tuple[Order, Name]]:
        claims = []
        for message in self.messages:
            identifies = message.type in CLAIMING and message.anonymous_id == anonymous_id
            if identifies and message.head[0] != "anonymous_id":
                claims.append((message.order, message.head))
            if message.type == "alias" and message.previous == anonymous_id and message.id:
                claims.append((message.order, ("id", message.id)))
        return claims

    # R4 and R4e

    def owner_of_email(self, email: str, time: int) -> Name:
        claims = self.counting_claims(email)
        before = [id for order, id in claims if order[0] <= time]
        after = [id for order, id in claims if order[0] > time]
        if before:
            return "id", before[-1]
        return ("id", after[0]) if after else ("email", email)

    def browser_people(self, anonymous_id: str) -> list[tuple[int, Name]]:
        """Whom each claim on a browser means, in the order of the claims."""
        return [
            (order[0], self.owner_of_email(name[1], order[0]) if name[0] == "email" else name)
            for order, name in self.browser_claims(anonymous_id)
        ]

    def is_kiosk(self, anonymous_id: str) -> bool:  # R5
        people = {person for _, person in self.browser_people(anonymous_id)}
        return len([kind for kind, _ in people if kind == "id"]) > self.limit

    def owner_of_browser(self, anonymous_id: str, time: int) -> Name | None:
        if self.is_kiosk(anonymous_id):
            return None
        claims = self.browser_people(anonymous_id)
        before = [person for when, person in claims if when <= time]
        after = [person for when, person in claims if when > time]
        if any(when == time for when, _ in claims) or not after:
            return before[-1] if before else None
        if not before or before[-1] == after[0]:
            return after[0]
        return None

    def owner(self, message: Said) -> Name | None:
        kind, value = message.head
        if kind == "email":
            return self.owner_of_email(value, message.time)
        if kind == "anonymous_id":
            return self.owner_of_browser(value, message.time)
        return kind, value  # R2

    # Who there is, and what is shown of them

    def graph(self) -> Graph:
        graph = Graph()
        for email in self.mentioned("email"):
            if not self.counting_claims(email):
                graph.people.add(("email", email))
        graph.people.update(("id", id) for id in self.mentioned("id"))
        said: dict[Name, list[Said]] = {person: [] for person in graph.people}
        for message in self.messages:
            owner = graph.owner[message.key] = self.owner(message)
            said.setdefault(owner or message.head, []).append(message)
        for person, messages in said.items():
            graph.relationships[person] = relationships(messages)
            if person in graph.people:
                graph.attributes[person], graph.claimed[person] = attributes(messages)
                graph.email[person] = self.shown_email(person)
        graph.conflicts.update(self.conflicts())
        return graph

    def mentioned(self, kind: str) -> set[str]:
        return {value for message in self.messages if (value := getattr(message, kind))}

    def shown_email(self, person: Name) -> str | None:  # R9
        kind, value = person
        if kind == "email":
            return value
        called = [
            message
            for message in self.messages
            if message.type in CLAIMING and message.id == value and message.email
            if person in self.owners_ever(message.email)
        ]
        proven = [message.email for message in called if message.email_trusted]
        return proven[-1] if proven else called[0].email if called else None

    def owners_ever(self, email: str) -> set[Name]:
        claims = self.counting_claims(email)
        times = {order[0] for order, _ in claims}
        return {self.owner_of_email(email, time) for time in {-1, *times}}

    def conflicts(self) -> Iterable[tuple[str, str]]:  # R12
        for email in self.mentioned("email"):
            counting = {id for _, id in self.counting_claims(email)}
            claiming = {id for _, id, _ in self.email_claims(email)}
            if len(counting) > 1:
                yield "email_of_two_ids", email
            if claiming - counting:
                yield "email_not_counted", email
        for browser in self.mentioned("anonymous_id") | self.mentioned("previous"):
            if self.is_kiosk(browser):
                yield "too_many_people", browser


def attributes(messages: Iterable[Said]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values in force, and the unproven ones that lost to a proven one (R6)."""
    proven: dict[str, Any] = {}
    unproven: dict[str, Any] = {}
    for message in messages:
        if message.type == "identify":
            (proven if message.trusted else unproven).update(message.attributes)
    shown = {name: value for name, value in {**unproven, **proven}.items() if value is not None}
    lost = {name: unproven[name] for name in proven if name in unproven}
    return shown, {name: value for name, value in lost.items() if value != proven[name]}


def relationships(messages: Iterable[Said]) -> dict[str, dict[str, Any]]:
    """The objects that messages relate to, each with its attributes.

    A removal forgets the attributes written before it; an unproven one only unproven ones.
    """
    present: dict[bool, dict[str, bool]] = {True: {}, False: {}}
    kept: dict[bool, dict[str, dict[str, Any]]] = {True: {}, False: {}}
    for message in messages:
        for name, adds, values in message.relations:
            present[message.trusted][name] = adds
            if adds:
                kept[message.trusted].setdefault(name, {}).update(values)
                continue
            kept[False].pop(name, None)
            if message.trusted:
                kept[True].pop(name, None)
    there = [name for name, adds in {**present[False], **present[True]}.items() if adds]
    both = {name: {**kept[False].get(name, {}), **kept[True].get(name, {})} for name in there}
    return {
        name: {key: value for key, value in values.items() if value is not None}
        for name, values in both.items()
    }
