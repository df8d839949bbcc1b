"""The identity rules once more, in the plainest Python, to compare the package with.

Written from docs/identity.md alone: it imports nothing of the package, keeps no state, and
computes everything anew from the whole set of messages. People are named by their anchor:
``("id", "42")`` or ``("email", "ada@example.com")``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeAlias

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


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The word that ``secondary`` is the same human as ``primary``."""

    primary: Name
    secondary: Name
    at: int  # microseconds since 1970
    id: str
    live: bool = True


class Atom(NamedTuple):
    """One thing that a message wrote: an attribute, a relationship or its end, or one of its own.

    Of the writes to one ``cell``, the last is kept.
    """

    kind: str  # "attribute" | "relation"
    name: str
    trusted: bool
    part: str | bool  # a relationship: whether it is there (a bool), or the name of its attribute
    said: Said  # a message that writes this and nothing else

    @property
    def cell(self) -> tuple[str, str, bool, str | bool]:
        return self[:4]

    @property
    def removes(self) -> bool:
        if self.kind == "attribute":
            return self.said.attributes[0][1] is None
        return self.part is False

    @property
    def marks(self) -> bool:
        """Whether it says if the thing is there."""
        return self.kind == "attribute" or isinstance(self.part, bool)


@dataclass(frozen=True)
class Graph:
    """What a set of messages comes to."""

    owner: dict[tuple[str, bool, str], Name | None] = field(default_factory=dict)
    people: set[Name] = field(default_factory=set)
    id: dict[Name, str | None] = field(default_factory=dict)
    email: dict[Name, str | None] = field(default_factory=dict)
    attributes: dict[Name, dict[str, Any]] = field(default_factory=dict)
    claimed: dict[Name, dict[str, Any]] = field(default_factory=dict)
    relationships: dict[Name, dict[str, dict[str, Any]]] = field(default_factory=dict)
    conflicts: set[tuple[str, str]] = field(default_factory=set)  # (code, identifier's value)


class Reference:
    """The rules, over one set of messages and operations."""

    def __init__(
        self,
        messages: Iterable[Said],
        operations: Iterable[Operation] = (),
        *,
        people_per_browser: int = 5,
    ) -> None:
        first: dict[tuple[str, bool, str], Said] = {}
        for message in messages:
            first.setdefault(message.key, message)  # R1
        self.messages = sorted(first.values(), key=lambda message: message.order)
        live = [operation for operation in operations if operation.live]
        self.operations = sorted(live, key=lambda operation: (operation.at, operation.id))
        self.limit = people_per_browser
        self.groups = self.merged()

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
        if not before:
            return after[0]
        return before[-1] if self.root(before[-1]) == self.root(after[0]) else None

    # R7

    def meant(self, anchor: Name) -> Name:
        """Whom an anchor means: a lead whose email is an id's means who has it last."""
        kind, value = anchor
        return self.owner_of_email(value, 2**63) if kind == "email" else anchor

    def anchors(self) -> set[Name]:
        """Who there would be without any merge."""
        mentioned = [(kind, one) for kind in ("id", "email") for one in self.mentioned(kind)]
        return {anchor for anchor in mentioned if self.meant(anchor) == anchor}

    def effective(self) -> list[tuple[Operation, list[Name], list[Name]]]:
        """The operations that join two groups, with these groups as they were then."""
        groups = [[person] for person in sorted(self.anchors())]
        found = []
        for operation in self.operations:
            into = next(one for one in groups if self.meant(operation.primary) in one)
            gone = next(one for one in groups if self.meant(operation.secondary) in one)
            if into is not gone:
                found.append((operation, list(into), list(gone)))
                into += gone
                groups.remove(gone)
        return found

    def merged(self) -> dict[Name, list[Name]]:
        """Who each standing person is: themselves, then whom the merges brought, in order."""
        groups = {person: [person] for person in self.anchors()}
        for _, into, gone in self.effective():
            groups[into[0]] = into + gone
            del groups[gone[0]]
        return groups

    def root(self, person: Name | None) -> Name | None:
        return next((root for root, group in self.groups.items() if person in group), None)

    def owner(self, message: Said) -> Name | None:
        """Whose a message is, after merges."""
        return self.root(self.writer(message))

    def writer(self, message: Said) -> Name | None:
        """Whose a message is by its claims; of a closed gap, whose it was before the gap."""
        kind, value = message.head
        if kind == "email":
            return self.owner_of_email(value, message.time)
        if kind == "anonymous_id":
            return self.owner_of_browser(value, message.time)
        return kind, value  # R2

    # Who there is, and what is shown of them

    def graph(self) -> Graph:
        graph = Graph()
        graph.people.update(self.groups)
        said: dict[Name, list[Said]] = {person: [] for person in self.anchors()}
        for message in self.messages:
            graph.owner[message.key] = self.owner(message)
            said.setdefault(self.writer(message) or message.head, []).append(message)
        for person, messages in self.told(said).items():
            graph.relationships[person] = relationships(messages)
            if person in graph.people:
                group = self.groups[person]
                ids = [value for kind, value in group if kind == "id"]
                emails = [email for one in group if (email := self.shown_email(one, group))]
                graph.id[person] = ids[0] if ids else None
                graph.email[person] = emails[0] if emails else None
                graph.attributes[person], graph.claimed[person] = attributes(messages)
        graph.conflicts.update(self.conflicts())
        return graph

    def told(self, said: dict[Name, list[Said]]) -> dict[Name, list[Said]]:
        """What counts of what everybody said, after merges."""
        result = dict(said)
        kept = {person: latest(map(atoms, messages)) for person, messages in said.items()}
        for operation, (into, *_), (gone, *_) in self.effective():
            early = [atom for atom in kept[gone] if atom.said.time < operation.at]
            later = [atom for atom in kept.pop(gone) if atom.said.time >= operation.at]
            kept[into] = latest([filled(kept[into], early, operation.at), later])
            result[into] = [atom.said for atom in kept[into]]
            del result[gone]
        return result

    def mentioned(self, kind: str) -> set[str]:
        return {value for message in self.messages if (value := getattr(message, kind))}

    def shown_email(self, person: Name, group: list[Name]) -> str | None:  # R9
        kind, value = person
        if kind == "email":
            return value
        called = [
            message
            for message in self.messages
            if message.type in CLAIMING and message.id == value and message.email
            if self.owners_ever(message.email) & set(group)
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


def atoms(message: Said) -> list[Atom]:
    """The things that a message writes, one by one."""

    def says(*relation: Any) -> Said:
        return replace(message, attributes=(), relations=(relation,))

    def sets(*attribute: Any) -> Said:
        return replace(message, attributes=(attribute,), relations=())

    written = [
        Atom("attribute", one[0], message.trusted, "", sets(*one))
        for one in (message.attributes if message.type == "identify" else ())
    ]
    for name, adds, values in message.relations:
        written.append(Atom("relation", name, message.trusted, adds, says(name, adds, ())))
        written += [
            Atom("relation", name, message.trusted, one[0], says(name, True, (one,)))
            for one in values
        ]
    return written


def latest(lists: Iterable[Iterable[Atom]]) -> list[Atom]:
    """The last write of each cell, in order."""
    ordered = sorted((atom for one in lists for atom in one), key=lambda atom: atom.said.order)
    cells = {atom.cell: atom for atom in ordered}
    return sorted(cells.values(), key=lambda atom: atom.said.order)


def filled(mine: list[Atom], theirs: list[Atom], at: int) -> list[Atom]:
    """What somebody wrote, and of ``theirs`` what was unset ``at`` that time (R7).

    What was there by a write before then stays. Else what is proven, and what is not, are each
    filled if there is nothing, or a removal from before.
    """
    result = []
    for kind, name in sorted({atom[:2] for atom in (*mine, *theirs)}):
        own = [atom for atom in mine if atom[:2] == (kind, name)]
        other = [atom for atom in theirs if atom[:2] == (kind, name)]
        if was_there(own, at):
            result += own
            continue
        own, other = alive(own), alive(other)
        for trusted in (True, False):
            have = [atom for atom in own if atom.trusted == trusted]
            get = [atom for atom in other if atom.trusted == trusted]
            last = [atom for atom in have if atom.marks][-1:]
            was_removed = bool(last) and last[0].removes and last[0].said.time < at
            result += get if get and (was_removed or not have) else have
    return result


def was_there(written: list[Atom], at: int) -> bool:
    """Whether one attribute or relationship is there, by a write before ``at``."""
    marks = [atom for atom in written if atom.marks]
    decisive = [atom for atom in marks if atom.trusted] or marks
    return bool(decisive) and not decisive[-1].removes and decisive[-1].said.time < at


def alive(written: list[Atom]) -> list[Atom]:
    """Without the attributes of a relationship that its removal cleared."""

    def cleared(atom: Atom) -> bool:
        return not atom.marks and any(
            one.said.order >= atom.said.order
            for one in written
            if one.removes and (one.trusted or not atom.trusted)
        )

    return [atom for atom in written if not cleared(atom)]
