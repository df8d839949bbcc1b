"""What live merges come to, pure (R7, R8 of docs/identity.md).

Merges fold in the order of their time. The secondary's group joins the primary's; of its
attributes those written before the merge fill only what is unset, later writes count as any
other. A merge of two who are one already has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from identity_tracking.identity.registers import Registers, fill, join, split


class Merge(NamedTuple):
    """One live merge, in the order in which merges fold."""

    time: int  # microseconds since 1970
    id: UUID
    primary: UUID
    secondary: UUID


class Group(NamedTuple):
    """People who are one: first who they became, then whom each merge brought; all they wrote."""

    people: tuple[UUID, ...]
    document: Registers


def fold(documents: Mapping[UUID, Registers], merges: Iterable[Merge]) -> dict[UUID, Group]:
    """Return what the people who wrote ``documents`` become by ``merges``, by who they become."""
    groups = {person: Group((person,), document) for person, document in documents.items()}
    root = {person: person for person in documents}
    for merge in sorted(merges):
        into, gone = root[merge.primary], root[merge.secondary]
        if into != gone:
            root |= dict.fromkeys(groups[gone].people, into)
            groups[into] = _absorb(groups[into], groups.pop(gone), merge.time)
    return groups


def roots(people: Iterable[UUID], merges: Iterable[Merge]) -> dict[UUID, UUID]:
    """Return for each of ``people`` who they are, after ``merges``."""
    groups = fold({person: {} for person in people}, merges)
    return {person: root for root, group in groups.items() for person in group.people}


def _absorb(group: Group, other: Group, time: int) -> Group:
    early, later = split(other.document, time)
    document = join([fill(group.document, early, time), later])
    return Group(group.people + other.people, document)
