"""Attributes and relationships as last-write-wins registers, pure (R6, R9 of docs/identity.md).

What the messages of one identifier wrote is one JSON document, and ``join`` is commutative,
associative and idempotent: so neither order nor repetition matters.

``{"a": {attribute: {"t": write, "u": write}},
"e": {email: {"t": latest write, "u": earliest write}},
"r": {object: {"t": {"+": write, "-": write}, "u": …, "a": {attribute: {"t": …, "u": …}}}}}``

"t" holds what a trusted message wrote, "u" what an untrusted one did. A write is
``[value, microseconds, message_id, source]``; the value None removes. Of an email it is True where
the message gave that one beside its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeAlias

from identity_tracking.identifiers import Kind
from identity_tracking.messages import EPOCH, Message, ObjectRef, Order
from identity_tracking.payloads import Json

Write: TypeAlias = list[Json]
Slots: TypeAlias = dict[str, Write]
Registers: TypeAlias = dict[str, dict[str, Any]]

SLOTS = TRUSTED, UNTRUSTED = "t", "u"
MOST_CLAIMED = 300  # of one identifier: Customer.io's limit for a person's attributes


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """What registers come to: the attributes in force, where each is from, and what lost."""

    attributes: dict[str, Json] = field(default_factory=dict)
    provenance: dict[str, Json] = field(default_factory=dict)
    claimed: dict[str, Json] = field(default_factory=dict)
    relationships: dict[ObjectRef, dict[str, Json]] = field(default_factory=dict)


def written(message: Message) -> Registers:
    """Return what one message writes, as registers; of an object what it says last."""
    slot = TRUSTED if message.trusted else UNTRUSTED
    result: Registers = {"a": {}, "e": {}, "r": {}}
    for name, value in message.attributes.items():
        result["a"][name] = {slot: write_of(value, message.order)}
    if message.email:
        email_slot = TRUSTED if message.email_trusted else UNTRUSTED
        result["e"][message.email.value] = {email_slot: write_of(None, message.order)}
    if message.names.id:
        for ref in message.accepted:
            if ref.kind is Kind.EMAIL and ref != message.email:
                result["e"][ref.value] = {TRUSTED: write_of(True, message.order)}
    for relation in message.relationships:
        mark = "+" if relation.present else "-"
        one: Registers = {
            slot: {mark: write_of(None, message.order)},
            "a": {
                name: {slot: write_of(value, message.order)}
                for name, value in relation.attributes.items()
            },
        }
        key = relation_key(relation.object)
        if relation.present and key in result["r"]:
            one["a"] = {**result["r"][key]["a"], **one["a"]}
        result["r"][key] = one
    return result


def relation_key(of: ObjectRef) -> str:
    """Return under what a relationship to an object stands."""
    return json.dumps(of)


def write_of(value: Json, order: Order) -> Write:
    """Return ``value`` as it was written at a place among all messages."""
    return [value, order.time, order.message_id, order.source]


def join(documents: Iterable[Registers]) -> Registers:
    """Return what several documents come to together."""
    result: Registers = {"a": {}, "e": {}, "r": {}}
    for document in documents:
        result = {
            "a": _join_by(result["a"], document.get("a", {}), _join_slots),
            "e": _join_by(result["e"], document.get("e", {}), _join_email),
            "r": _join_by(result["r"], document.get("r", {}), join_relation),
        }
    return result


def bounded(document: Registers) -> Registers:
    """Return ``document`` with no more than MOST_CLAIMED attributes and relationships unproven.

    The first by name stay, whenever they came: so it is a function of all that was written, and
    what is proven is in nobody's way (R10).
    """
    relations = _bounded(document.get("r", {}), _proven_relation)
    for key, relation in relations.items():
        relations[key] = {**relation, "a": _bounded(relation.get("a", {}), _proven)}
    return {**document, "a": _bounded(document.get("a", {}), _proven), "r": relations}


def shown(document: Registers) -> Shown:
    """Return the attributes and relationships that ``document`` comes to."""
    result = Shown()
    for name, slots in document.get("a", {}).items():
        slot, write = _winner(slots)
        if write[0] is not None:
            result.attributes[name] = write[0]
            result.provenance[name] = _origin(write, slot)
        if slot == TRUSTED and _lost(slots):
            result.claimed[name] = {
                "value": slots[UNTRUSTED][0],
                **_origin(slots[UNTRUSTED], UNTRUSTED),
            }
    for key, relation in document.get("r", {}).items():
        if is_present(relation):
            result.relationships[ObjectRef(*json.loads(key))] = _relation_attributes(relation)
    return result


def fill(document: Registers, filler: Registers, time: int) -> Registers:
    """Return ``document`` with what of ``filler`` it lacked at ``time``; its emails stay its own.

    What it had by then stays. For the rest each trust is filled by itself, where there is nothing
    or an earlier removal: so nothing unproven hides, or brings back, what is proven.
    """
    mine, theirs = join([document]), join([filler])
    return {
        "a": _join_by(mine["a"], theirs["a"], partial(_fill_slots, time=time)),
        "e": mine["e"],
        "r": _join_by(mine["r"], theirs["r"], partial(_fill_relation, time=time)),
    }


def split(document: Registers, time: int) -> tuple[Registers, Registers]:
    """Return what of ``document`` was written before ``time``, and the rest."""
    return (
        _kept(document, lambda write: write[1] < time),
        _kept(document, lambda write: write[1] >= time),
    )


def without(document: Registers, emails: Collection[str]) -> Registers:
    """Return ``document`` without the ``emails`` that its id was given."""
    given = document.get("e", {})
    return {**document, "e": {one: given[one] for one in given if one not in emails}}


def shown_email(document: Registers, owned: Collection[str]) -> str | None:
    """Return which of the ``owned`` emails to show: the latest proven, else the first (R9)."""
    emails = {email: slots for email, slots in document.get("e", {}).items() if email in owned}
    proven = {email: slots[TRUSTED] for email, slots in emails.items() if TRUSTED in slots}
    if proven:
        return max(proven, key=lambda email: (_order(proven[email]), bool(proven[email][0]), email))
    claimed = {email: _order(slots[UNTRUSTED]) for email, slots in emails.items()}
    return min(claimed, key=lambda email: (claimed[email], email), default=None)


def join_relation(one: Mapping[str, Any], other: Mapping[str, Any]) -> Registers:
    """Return what two documents of one relationship come to together."""

    def join_marks(mine: Slots, theirs: Slots) -> Slots:
        return _join_by(mine, theirs, _later)

    joined = {
        slot: join_marks(one.get(slot, {}), other.get(slot, {}))
        for slot in SLOTS
        if slot in one or slot in other
    }
    return {**joined, "a": _join_by(one.get("a", {}), other.get("a", {}), _join_slots)}


def is_present(relation: Mapping[str, Any]) -> bool:
    """Say whether a relationship is there, by its last mark; a trusted one stands first."""
    return _adds(winning_marks(relation))


def winning_marks(relation: Mapping[str, Any]) -> Slots:
    """Return the marks that say whether a relationship is there."""
    return relation.get(TRUSTED) or relation.get(UNTRUSTED) or {}


def alive(relation: Mapping[str, Any]) -> dict[str, Slots]:
    """Attributes written since the last removal; an untrusted removal leaves trusted ones."""
    return _attributes_since(removals(relation), relation)


def removals(relation: Mapping[str, Any]) -> Slots:
    """Return the last removal of each trust."""
    return {slot: relation[slot]["-"] for slot in SLOTS if "-" in relation.get(slot, {})}


def outliving(document: Registers, removed: Mapping[str, Slots]) -> Registers:
    """Return ``document`` with what was written of relationships since their objects' removals.

    ``removed``: those of each object, by its ``relation_key``.
    """
    relations = {
        key: _since(removed[key], relation) if key in removed else relation
        for key, relation in document.get("r", {}).items()
    }
    return {**document, "r": relations}


def _order(write: Write) -> tuple[Json, ...]:
    """Return where a write stands among those of its slot."""
    return tuple(write[1:])


def _place(write: Write, slot: str) -> tuple[Json, ...]:
    """Return where a write stands among all: as ``Order`` does, trust before the source."""
    time, message_id, source = _order(write)
    return time, message_id, slot == TRUSTED, source


def _bounded(
    document: Mapping[str, Any], proven: Callable[[Mapping[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """Return ``document``; beyond the first names that hold a claim, what is ``proven`` of each."""
    if len(document) <= MOST_CLAIMED:
        return dict(document)
    claimed = sorted(name for name, value in document.items() if proven(value) != value)
    rest = {name: proven(document[name]) for name in claimed[MOST_CLAIMED:]}
    return {name: value for name, value in {**document, **rest}.items() if value}


def _proven(slots: Mapping[str, Any]) -> dict[str, Any]:
    return {slot: write for slot, write in slots.items() if slot != UNTRUSTED}


def _proven_relation(relation: Mapping[str, Any]) -> dict[str, Any]:
    attributes = {name: _proven(slots) for name, slots in relation.get("a", {}).items()}
    kept = {name: slots for name, slots in attributes.items() if slots}
    proven = {**_proven(relation), "a": kept}
    return proven if TRUSTED in proven or kept else {}


def _join_by(
    one: Mapping[str, Any], other: Mapping[str, Any], join_values: Callable[[Any, Any], Any]
) -> dict[str, Any]:
    return {**one, **{key: join_values(one.get(key, {}), value) for key, value in other.items()}}


def _join_slots(one: Slots, other: Slots) -> Slots:
    return _join_by(one, other, _later)


def _join_email(one: Slots, other: Slots) -> Slots:
    joined = _join_slots(one, other)
    if UNTRUSTED in one and UNTRUSTED in other:
        joined[UNTRUSTED] = min(one[UNTRUSTED], other[UNTRUSTED], key=_order)
    return joined


def _later(one: Write, other: Write) -> Write:
    return max(one, other, key=_order) if one else other


def _fill_slots(mine: Slots, theirs: Slots, *, time: int) -> Slots:
    if mine:
        value, written_at, *_ = _winner(mine)[1]
        if value is not None and written_at < time:
            return mine
    held = {slot: write for slot, write in mine.items() if write[0] is not None or write[1] >= time}
    return {**mine, **theirs, **held}


def _fill_relation(
    mine: Mapping[str, Any], theirs: Mapping[str, Any], *, time: int
) -> dict[str, Any]:
    if is_present(mine) and winning_marks(mine)["+"][1] < time:
        return dict(mine)
    filled: dict[str, Any] = {"a": {}}
    for slot in SLOTS:
        source = theirs if _holds(theirs, slot) and _was_unset(mine, slot, time) else mine
        if slot in source:
            filled[slot] = source[slot]
        for name, slots in alive(source).items():
            if slot in slots:
                filled["a"].setdefault(name, {})[slot] = slots[slot]
    return filled


def _holds(relation: Mapping[str, Any], slot: str) -> bool:
    return slot in relation or any(slot in slots for slots in alive(relation).values())


def _was_unset(relation: Mapping[str, Any], slot: str, time: int) -> bool:
    """Say whether a slot holds nothing, or a removal from before ``time``."""
    marks = relation.get(slot, {})
    removed = "-" in marks and not _adds(marks) and marks["-"][1] < time
    return removed or not _holds(relation, slot)


def _winner(slots: Slots) -> tuple[str, Write]:
    slot = TRUSTED if TRUSTED in slots else UNTRUSTED
    return slot, slots[slot]


def _lost(slots: Slots) -> bool:
    return UNTRUSTED in slots and slots[UNTRUSTED][0] != slots[TRUSTED][0]


def _origin(write: Write, slot: str) -> dict[str, Json]:
    _, time, message_id, source = write
    at = (EPOCH + timedelta(microseconds=time)).isoformat()
    return {"at": at, "source": source, "trusted": slot == TRUSTED, "message_id": message_id}


def _adds(marks: Slots) -> bool:
    if "+" not in marks:
        return False
    return "-" not in marks or _order(marks["+"]) > _order(marks["-"])


def _relation_attributes(relation: Mapping[str, Any]) -> dict[str, Json]:
    winners = {name: _winner(slots)[1] for name, slots in alive(relation).items()}
    return {name: write[0] for name, write in winners.items() if write[0] is not None}


def _since(removed: Slots, relation: Mapping[str, Any]) -> Registers:
    """Return what stands of a relationship; that it had ended before stands, too."""
    marks = {slot: relation[slot] for slot in SLOTS if slot in relation}
    kept = {
        slot: those
        for slot, those in marks.items()
        if not _adds(those) or _is_since(removed, those["+"], slot)
    }
    return {**kept, "a": _attributes_since(removed, relation)}


def _attributes_since(removed: Slots, relation: Mapping[str, Any]) -> dict[str, Slots]:
    result = {
        name: {slot: one for slot, one in slots.items() if _is_since(removed, one, slot)}
        for name, slots in relation.get("a", {}).items()
    }
    return {name: slots for name, slots in result.items() if slots}


def _is_since(removed: Slots, write: Write, slot: str) -> bool:
    """Say whether a write stands after what removes it: a removal that is trusted as it is."""
    removing = [TRUSTED] if slot == TRUSTED else SLOTS
    return all(_place(write, slot) > _place(removed[by], by) for by in removing if by in removed)


def _kept(document: Mapping[str, Any], wanted: Callable[[Write], bool]) -> dict[str, Any]:
    """Return ``document``, at every depth, with the ``wanted`` writes alone."""
    result = {}
    for key, value in document.items():
        if isinstance(value, dict):
            result[key] = _kept(value, wanted)
        elif wanted(value):
            result[key] = value
    return {key: value for key, value in result.items() if value}
