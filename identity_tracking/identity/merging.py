"""What live merges come to, pure (R7, R8 of docs/identity.md).

Merges fold in the order of their time. The secondary's group joins the primary's; of its
attributes those written before the merge fill only what is unset, later writes count as any
other. A merge of two who are one already has no effect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from identity_tracking.identity.registers import Registers, join, split


class Merge(NamedTuple):
    """One live merge, in the order in which merges fold."""

    time: int  # microseconds since 1970
    id: UUID
    primary: UUID
    secondary: UUID


class Layer(NamedTuple):
    """What somebody wrote. With ``filled_at`` it only fills what was unset at that time."""

    document: Registers
    filled_at: int | None = None


def roots(people: Iterable[UUID], merges: Iterable[Merge]) -> dict[UUID, UUID]:
    """Return for each of ``people`` who they are, after ``merges``."""
    root = {person: person for person in people}
    for merge in sorted(merges):
        into, gone = root[merge.primary], root[merge.secondary]
        root = {person: into if to == gone else to for person, to in root.items()}
    return root


def layers(
    root: UUID, documents: Mapping[UUID, Registers], merges: Iterable[Merge]
) -> Sequence[Layer]:
    """Return what the people who became ``root`` wrote, what counts first foremost."""
    groups = {person: [Layer(document)] for person, document in documents.items()}
    root_of = {person: person for person in documents}
    for merge in sorted(merges):
        into, gone = root_of[merge.primary], root_of[merge.secondary]
        if into == gone:
            continue
        groups[into] = _absorb(groups[into], groups.pop(gone), merge.time)
        root_of = {person: into if to == gone else to for person, to in root_of.items()}
    return groups[root]


def _absorb(group: Sequence[Layer], other: Sequence[Layer], time: int) -> list[Layer]:
    early, later = split(other[0].document, time)
    fills = [Layer(early, time), *(Layer(layer.document, time) for layer in other[1:])]
    return [Layer(join([group[0].document, later])), *group[1:], *fills]
