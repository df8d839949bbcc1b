"""What somebody's messages wrote, and what a merge makes of it (R6, R7)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NamedTuple

from tests.reference.said import DESCRIBING, Said


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


def attributes(messages: Iterable[Said]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The values in force, and the unproven ones that lost to a proven one (R6)."""
    proven: dict[str, Any] = {}
    unproven: dict[str, Any] = {}
    for message in messages:
        if message.type in DESCRIBING:
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
        for one in (message.attributes if message.type in DESCRIBING else ())
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
