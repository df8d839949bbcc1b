"""Gather a crowd: start its processes, let them begin together, and hear what each has done."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.crowd.words import Plan
from tests.reference import Operation

ROOT = Path(__file__).resolve().parent.parent.parent
EVERY = 5  # seconds between two lines of progress

logger = logging.getLogger(__name__)


class Voice:
    """One process of a crowd, and a thread that listens to it."""

    def __init__(self, plan: Plan, number: int, database: str) -> None:
        environ = {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "CROWD_DATABASE": database}
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "tests.crowd", json.dumps(asdict(plan)), str(number)],
            env={**os.environ, **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.told: list[dict[str, Any]] = []
        self.noise = ""  # what is no line of its log: why it fell
        self.is_ready = threading.Event()
        self.thread = threading.Thread(target=self._listen)
        self.thread.start()

    def begin(self) -> None:
        assert self.process.stdin is not None
        with suppress(BrokenPipeError):  # it fell, and its output says why
            self.process.stdin.write("begin\n")
            self.process.stdin.close()

    @property
    def has_finished(self) -> bool:
        return bool(self.told) and "refused" in self.told[-1]

    def end(self) -> None:
        """Make sure that it is gone."""
        self.process.kill()
        self.process.wait()
        self.thread.join()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                if line.startswith("{"):
                    self.told.append(json.loads(line))
                else:
                    self.noise += line
                self.is_ready.set()
        self.is_ready.set()


class Heard:
    """What a crowd has done, all of it acknowledged."""

    def __init__(self, plan: Plan, voices: Iterable[Voice], seconds: float) -> None:
        self.seconds = seconds
        told = [line for voice in voices for line in voice.told]
        ids = {id for line in told for id in line.get("said", ())}
        self.messages = [plan.said(id) for id in ids]
        self.undone = {line["undone"] for line in told if "undone" in line}
        self.merges = [_merge(line, self.undone) for line in told if "merged" in line]
        self.calls = sum(not line.keys() & {"ready", "refused"} for line in told)
        self.stored = sum(line.get("stored", 0) for line in told)
        self.refused: Counter[str] = Counter()
        for line in told:
            self.refused.update(line.get("refused", {}))
        self.errors = [line["error"] for line in told if "error" in line]
        self.errors += [f"Not finished. {one.noise}" for one in voices if not one.has_finished]


def gather(plan: Plan, *, database: str, patience: float) -> Heard:
    """Carry out ``plan`` on a database; kill who has not finished after ``patience`` seconds."""
    deadline = time.monotonic() + patience
    logger.info("%s", plan)
    voices = [Voice(plan, number, database) for number in range(plan.members)]
    try:
        for voice in voices:
            voice.is_ready.wait(max(0, deadline - time.monotonic()))
        began = time.monotonic()
        for voice in voices:
            voice.begin()
        _hear(voices, deadline)
        return Heard(plan, voices, time.monotonic() - began)
    finally:
        for voice in voices:
            voice.end()


def _hear(voices: list[Voice], deadline: float) -> None:
    """Wait until everybody has said all, and tell meanwhile how far they are."""
    began = told = time.monotonic()
    for voice in voices:
        while voice.thread.is_alive() and time.monotonic() < deadline:
            voice.thread.join(min(EVERY, max(0, deadline - time.monotonic())))
            if time.monotonic() - told >= EVERY:
                told = time.monotonic()
                done = sum(len(one.told) for one in voices)
                logger.info("%8d operations, %6.0f/s", done, done / (told - began))


def _merge(line: dict[str, Any], undone: set[str]) -> Operation:
    primary, secondary = map(tuple, line["merged"])
    id, at = line["id"], line["at"]
    live = id not in undone
    return Operation(primary=primary, secondary=secondary, at=at, id=id, live=live)
