"""What is left when a person is deleted."""

from __future__ import annotations

from dataclasses import replace

from tests.reference.graph import Reference
from tests.reference.said import Name, Said


def without(graph: Reference, person: Name) -> Reference:
    """The messages, operations and marks that remain without a standing person."""
    kept = [message for message in graph.messages if not is_of(graph, message, person)]
    group = set(graph.groups[person])
    rows = group | {
        name for name in graph.used if name[0] == "email" and graph.meant(name) in group
    }
    shared = {
        name
        for name in rows
        if any(claim.target not in rows for claim in graph.counting.get(name, ()))
    }
    gone = rows - {message.head for message in kept} - shared
    left = [forgetting(message, gone) for message in kept]
    others = {name for message in left for name in message.used} - rows
    return Reference(
        left,
        [one for one in graph.explicit if {one.primary, one.secondary} <= others],
        voided=graph.voided & {claim.key for message in left for claim in message.claims},
        undone=graph.undone & {one.id for message in left for one in message.operations},
        people_per_browser=graph.limit,
        look_back=graph.look_back,
    )


def is_of(graph: Reference, message: Said, person: Name) -> bool:
    """Whether a message is a person's, or lies in a gap beside what was."""
    if message.head[0] != "anonymous_id":
        return graph.owner(message) == person
    sides = graph.sides(message.head, message.time)
    return person in {graph.roots[side] for side in sides}


def forgetting(message: Said, gone: set[Name]) -> Said:
    """A message as if it had never called anybody by a name that is gone.

    What was refused is no name of anybody: that it was, stays.
    """
    refused = message.refused
    also = tuple(one for one in message.also if one.name not in gone or one in refused)
    email = None if ("email", message.email) in gone else message.email
    return replace(message, also=also, email=email)
