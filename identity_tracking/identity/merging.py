"""What live merges come to, pure (R7, R8 of docs/identity.md).

Merges fold in the order of their time. The secondary's group joins the primary's; of its
attributes those written before the merge fill only what is unset, later writes count as any
other. A merge of two who are one already has no effect. A merge of a lead is one of the id that
has the email by now; where it has it on an unproven claim, that merge folds after all others and
never joins two ids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple
from uuid import UUID

from identity_tracking.identity.registers import Registers, fill, join, split


class Merge(NamedTuple):
    """One live merge, in the order in which merges fold."""

    unproven: bool  # it rests on an unproven claim of a lead's email
    time: int  # microseconds since 1970
    id: UUID
    primary: UUID
    secondary: UUID


class Group(NamedTuple):
    """People who are one: first who they became, then whom each merge brought; all they wrote."""

    people: tuple[UUID, ...]
    document: Registers


def fold(
    documents: Mapping[UUID, Registers], merges: Iterable[Merge], ids: Collection[UUID]
) -> dict[UUID, Group]:
    """Return what the people who wrote ``documents`` become by ``merges``, by who they become.

    ``ids``: who of them are known by an id.
    """
    groups = {person: Group((person,), document) for person, document in documents.items()}
    root = {person: person for person in documents}
    for merge in sorted(merges):
        into, gone = root[merge.primary], root[merge.secondary]
        two_ids = all(any(one in ids for one in groups[key].people) for key in (into, gone))
        if into != gone and not (merge.unproven and two_ids):
            root |= dict.fromkeys(groups[gone].people, into)
            groups[into] = _absorb(groups[into], groups.pop(gone), merge.time)
    return groups


def roots(
    people: Iterable[UUID], merges: Iterable[Merge], ids: Collection[UUID]
) -> dict[UUID, UUID]:
    """Return for each of ``people`` who they are, after ``merges``. ``ids``: as in ``fold``."""
    groups = fold({person: {} for person in people}, merges, ids)
    return {person: root for root, group in groups.items() for person in group.people}


def _absorb(group: Group, other: Group, time: int) -> Group:
    early, later = split(other.document, time)
    document = join([fill(group.document, early, time), later])
    return Group(group.people + other.people, document)
