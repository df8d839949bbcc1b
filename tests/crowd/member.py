"""One of a crowd: does its part on a connection of its own, and logs what was acknowledged.

Each line of the log, on standard output, is JSON: ``{"said": ["3.17.0"], "stored": 1}``,
``{"merged": [primary, secondary], "at": 0, "id": id}``, ``{"undone": id}``, ``{"error": text}``,
and at last ``{"refused": {statement: how often}}``.
"""

from __future__ import annotations

import json
import sys
import traceback
from collections import Counter
from typing import Any

from django.db import OperationalError, connection

from identity_tracking import shortcuts
from identity_tracking.identity import merge as merging
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database, in_transaction
from identity_tracking.messages import Outcome
from identity_tracking.models import MergeOperation, Person
from tests.comparing import as_message, key_of, moment_of
from tests.crowd.words import Plan


class Member:
    """One process's share of what the crowd does."""

    def __init__(self, plan: Plan, number: int) -> None:
        self.plan = plan
        self.number = number
        self.refused: Counter[str] = Counter()  # statements, by what the database said

    def run(self) -> None:
        """Wait until everybody is there, then do all at once what the others do."""
        connection.ensure_connection()
        log(ready=True)
        sys.stdin.readline()
        deeds = {"say": self.say, "merge": self.merge, "undo": self.undo}
        with connection.execute_wrapper(self.watch):
            for turn in range(self.plan.operations):
                try:
                    log(**deeds[self.plan.deed(self.number, turn)](turn))
                except Exception:  # noqa: BLE001
                    log(error=traceback.format_exc())
        log(refused=self.refused)

    def watch(self, execute, sql, params, many, context):
        """Count what the database refuses, whether it is tried again or not."""
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            self.refused[f"{str(error).splitlines()[0]}: {sql[:60]}"] += 1
            raise

    def say(self, turn: int) -> dict[str, Any]:
        batch = self.plan.batch(self.number, turn)
        outcomes = process([as_message(self.plan.said(one)) for one in batch])
        return {"said": batch, "stored": outcomes.count(Outcome.STORED)}

    def merge(self, turn: int) -> dict[str, Any]:
        one, other, time = self.plan.pair(self.number, turn)
        primary, secondary = (
            Person.objects.filter(pk=key_of(anchor)).first() for anchor in (one, other)
        )
        if primary is None or secondary is None:
            return {}
        at = moment_of(time)
        using = database()
        done = in_transaction(
            lambda: merging.merge(primary, secondary, at=at, by="", reason="", using=using), using
        )
        return {"merged": [one, other], "at": time, "id": done.pk.hex}

    def undo(self, turn: int) -> dict[str, Any]:
        """Take back the first merge or the last, as another member may do at this moment."""
        live = MergeOperation.objects.live().order_by("at" if turn % 2 else "-at")
        operation = live.first()
        if operation is None:
            return {}
        shortcuts.undo(operation)
        return {"undone": operation.pk.hex}


def log(**told: object) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()
