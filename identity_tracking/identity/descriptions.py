"""What is said of objects, as last-write-wins registers, pure (R6 of docs/identity.md).

An object's registers are those of a relationship, see ``registers``: that it is there, or was
deleted, and its attributes, of which a deletion clears what was written before. What it clears is
dropped, so that whatever the order the registers are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import reduce

from identity_tracking.identity.registers import (
    SLOTS,
    TRUSTED,
    UNTRUSTED,
    Registers,
    Shown,
    Write,
    alive,
    is_present,
    join_relation,
    winning_marks,
    write_of,
)
from identity_tracking.identity.registers import shown as shown_attributes
from identity_tracking.messages import EPOCH, Description

MAX_ATTRIBUTES = 300  # of an object: Customer.io's limit
MAX_WRITTEN = 524_288  # bytes of JSON, of each trust


def written(said: Description) -> Registers:
    """Return what one call writes, as registers."""
    slot = TRUSTED if said.order.trusted else UNTRUSTED
    attributes = {
        name: {slot: write_of(value, said.order)} for name, value in said.attributes.items()
    }
    mark = "+" if said.present else "-"
    return {slot: {mark: write_of(None, said.order)}, "a": attributes}


def join(documents: Iterable[Registers]) -> Registers:
    """Return what several documents of one object come to together."""
    nothing: Registers = {}
    joined = reduce(join_relation, documents, nothing)
    return {**joined, "a": alive(joined)}


def shown(document: Registers) -> Shown:
    """Return the attributes that ``document`` comes to: none, where the object was deleted."""
    return shown_attributes({"a": alive(document)}) if is_present(document) else Shown()


def deleted_at(document: Registers) -> datetime | None:
    """Return when the object was deleted; None where it was not, or came back since."""
    marks = winning_marks(document)
    if "-" not in marks or is_present(document):
        return None
    return EPOCH + timedelta(microseconds=marks["-"][1])


def fits(document: Registers, *, trusted: bool) -> bool:
    """Say whether there is room for what ``document`` holds, of one trust.

    Each has room of its own: so what anybody may claim is in nobody's way.
    """
    slot = TRUSTED if trusted else UNTRUSTED
    held = {name: slots[slot] for name, slots in document.get("a", {}).items() if slot in slots}
    return len(held) <= MAX_ATTRIBUTES and len(json.dumps(held)) <= MAX_WRITTEN


def without(document: Registers, is_unwanted: Callable[[str], object]) -> Registers:
    """Return ``document`` without the writes that, as JSON, are unwanted."""

    def wanted(name: str, one: Write) -> bool:
        return not is_unwanted(json.dumps([name, *one]))

    kept = {
        name: {slot: one for slot, one in slots.items() if wanted(name, one)}
        for name, slots in document.get("a", {}).items()
    }
    marks = {
        slot: {mark: one for mark, one in document[slot].items() if wanted(mark, one)}
        for slot in SLOTS
        if slot in document
    }
    return {**marks, "a": {name: slots for name, slots in kept.items() if slots}}
