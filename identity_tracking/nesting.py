"""JSON that nests deeper than Python reads: read without what is too deep. Knows no message."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

LEVELS = 100  # more than a message may have; and Python reads far more than twice as many

_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?'  # one that never ends is all the rest: it is read once
_BRACKETS = re.compile(rf'(?:[^"\[\]{{}}]++|{_STRING})*+([\[{{]+|[\]}}]+)?', re.DOTALL)


def shallow(text: str, parse: Callable[[str], Any]) -> Any:
    """Return what ``parse`` makes of ``text``, with null for what is too deep for it.

    It stays too deep for a message. What became null is parsed, too, so what is no JSON is none
    at any depth. Raises what ``parse`` raises.
    """
    cuts: list[tuple[int, int]] = []
    for start, end in _too_deep(text):
        parse(_without(cuts, text, start, end))
        cuts.append((start, end))
    return parse(_without(cuts, text, 0, len(text)))


def _without(cuts: list[tuple[int, int]], text: str, start: int, end: int) -> str:
    """Return a piece of ``text`` with null for each of ``cuts`` in it; these are taken away."""
    parts: list[str] = []
    while cuts and cuts[-1][0] > start:
        cut, after = cuts.pop()
        parts += [text[after:end], "null"]
        end = cut
    return "".join([text[start:end], *reversed(parts)])


def _too_deep(text: str) -> Iterator[tuple[int, int]]:
    """Yield pieces to cut, the deepest first: then each, and what is left, has under 2 LEVELS."""
    depth, deepest = 0, 0  # the latter, and levels below, in LEVELS
    opened: list[int] = []  # where each of these began
    for found in _BRACKETS.finditer(text):
        start, end = found.span(1)
        before = depth
        depth += end - start if start < end and text[start] in "[{" else start - end
        if depth < 0:  # no JSON
            return
        for level in range(before // LEVELS, depth // LEVELS):
            opened.append(start + (level + 1) * LEVELS - before - 1)
            deepest = level + 1
        for level in range(before // LEVELS, depth // LEVELS, -1):
            begun = opened.pop()
            if deepest > level:
                yield begun, start + before - level * LEVELS + 1
            deepest = level
