"""The identity rules once more, in the plainest Python, to compare the package with.

Written from the rules alone: it imports nothing of the package (`make lint` sees to that), keeps
no state, and computes everything anew from the whole set of messages. People are named by their
anchor: ``("id", "42")`` or ``("email", "ada@example.com")``.
"""

from __future__ import annotations

from tests.reference.deletion import without
from tests.reference.graph import Graph, Reference
from tests.reference.said import Also, Claim, Key, Name, Operation, Said

__all__ = ["Also", "Claim", "Graph", "Key", "Name", "Operation", "Reference", "Said", "without"]
