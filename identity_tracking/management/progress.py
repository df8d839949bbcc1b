"""Tell how far a command is: a bar on a terminal, else a line now and then."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self, TypeVar

from django.core.management.base import OutputWrapper

WIDTH = 30  # characters of a bar
ON_TERMINAL = 0.1  # seconds between two pictures of the bar
IN_LOG = 10.0  # seconds between two lines of a log

Item = TypeVar("Item")


class Progress:
    """How much of ``what`` is done, told on ``stream``. ``total``: None where nobody knows."""

    def __init__(self, stream: OutputWrapper, what: str, total: int | None = None) -> None:
        self.stream = stream
        self.what = what
        self.total = total
        self.done = 0
        self._is_terminal = stream.isatty()
        self._told_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Tell how far it came, whatever ended it."""
        self._tell(last=True)

    def advance(self, count: int = 1) -> None:
        self.done += count
        pause = ON_TERMINAL if self._is_terminal else IN_LOG
        if time.monotonic() - self._told_at >= pause:
            self._tell()

    def over(self, items: Iterable[Item]) -> Iterator[Item]:
        """Hand ``items`` on, and count each when it is done."""
        for item in items:
            yield item
            self.advance()

    def _tell(self, *, last: bool = False) -> None:
        self._told_at = time.monotonic()
        text = f"\r{self}" + ("\n" if last else "") if self._is_terminal else f"{self}\n"
        self.stream.write(text, style_func=str, ending="")
        self.stream.flush()

    def __str__(self) -> str:
        if not self.total:
            return f"{self.what}: {self.done:,}"
        counted = f"{self.what}: {self.done:,} of {self.total:,}"
        if not self._is_terminal:
            return counted
        filled = min(WIDTH, WIDTH * self.done // self.total)
        return f"[{'#' * filled}{'.' * (WIDTH - filled)}] {counted}"
