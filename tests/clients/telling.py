"""What a run of these tests tells: a table of the calls, and recordings of what was sent."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.captures.exchanges import Exchange

if TYPE_CHECKING:
    from tests.rows import Rows  # models: there is no Django yet when a run begins

HEAD = ("method", "clients", "requests", "rows")


class Call(NamedTuple):
    """A call of a client, what was sent for it, and by how much there was more after it."""

    client: str
    version: str
    method: str
    sent: list[Exchange]
    rows: Rows


class Telling:
    """Every call of a run, and all that was sent in it; as a plugin of pytest it is to be found."""

    NAME = "telling"

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.sent: dict[str, list[Exchange]] = {}

    def add(self, call: Call) -> None:
        self.calls.append(call)

    def keep(self, client: str, sent: Iterable[Exchange]) -> None:
        self.sent.setdefault(client, []).extend(sent)

    def table(self, clients: Collection[str] = ()) -> str:
        """Return a table in Markdown: what a method sends and makes, in which clients.

        ``clients``: whose; all if none is named.
        """
        rows: dict[tuple[str, ...], list[str]] = {}
        for call in self._first():
            if not clients or call.client in clients:
                rows.setdefault(_told(call), []).append(f"{call.client} {call.version}")
        cells = ((told[0], ", ".join(names), *told[1:]) for told, names in sorted(rows.items()))
        return "".join(f"| {' | '.join(row)} |\n" for row in (HEAD, ("---",) * len(HEAD), *cells))

    def record(self, folder: Path) -> Iterator[Path]:
        """Write what each client sent, one file a client; yield the files."""
        for client, sent in self.sent.items():
            file = folder / f"{client.removeprefix('@').replace('/', '-')}.jsonl"
            file.write_text("".join(json.dumps(one.written()) + "\n" for one in sent))
            yield file

    def _first(self) -> Iterable[Call]:
        """Return the first call of each method of each client."""
        first: dict[tuple[str, str], Call] = {}
        for call in self.calls:
            first.setdefault((call.client, call.method), call)
        return [first[key] for key in sorted(first)]


def _told(call: Call) -> tuple[str, ...]:
    """Return a call's method, what it asked and what it made, as they are written."""
    asked = sorted({f"`{one.asked}`" for one in call.sent})
    return f"`{call.method}`", ", ".join(asked) or "none", str(call.rows)
