"""A crowd of processes gives what one after the other gives, and nobody is refused.

``PROCESSES=16 OPERATIONS=10000 IDENTIFIERS=500 pytest tests/identity/test_processes.py
--log-cli-level=INFO`` has more of them do more, and tells how far they are.
"""

from __future__ import annotations

import logging
import os
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection

from identity_tracking.messages import microseconds
from identity_tracking.models import Activity, Identifier, MergeOperation, Person
from tests.comparing import anchored, as_message, kept, key_of, name_of
from tests.crowd.gathering import gather
from tests.crowd.words import Plan
from tests.reference import Graph, Reference, Said
from tests.saying import hour

PLAN = Plan(
    seed=os.environ.get("SEED", "crowd"),
    members=int(os.environ.get("PROCESSES", "8")),
    operations=int(os.environ.get("OPERATIONS", "100")),
    identifiers=int(os.environ.get("IDENTIFIERS", "100")),
)
PATIENCE = 300 + PLAN.members * PLAN.operations / 4  # seconds, on a machine that is busy
LATER = 10**5  # hours: when all is said

logger = logging.getLogger(__name__)


@pytest.mark.case("FAULT-08")
@pytest.mark.django_db(transaction=True)
def test_many_processes_give_what_the_rules_say():
    deadlocks = resolved_deadlocks()

    heard = gather(PLAN, database=connection.settings_dict["NAME"], patience=PATIENCE)

    deadlocks = resolved_deadlocks() - deadlocks
    wanted = rules(heard).graph()
    owners = {ref: wanted.owner.pop(("later", False, ref.value)) for ref in identifiers()}
    have = kept()
    misplaced: list[object] = [ref for ref, who in owners.items() if owner_later(ref) != who]
    misplaced += [key for key, who in have.owner.items() if wanted.owner.get(key) != who]
    unlike = differences(have, wanted)
    tell(heard, misplaced, unlike, deadlocks)
    assert not heard.errors, "\n".join(heard.errors[:5])
    assert misplaced[:5] == []
    assert unlike == {}
    assert heard.calls == PLAN.members * PLAN.operations
    assert heard.stored == Activity.objects.count() == len(heard.messages)


@pytest.mark.parametrize("patience", [0, 60])
def test_a_process_that_cannot_work_is_told_of_and_ended(patience, tmp_path):
    alone = replace(PLAN, members=1, operations=1)

    heard = gather(alone, database=str(tmp_path / "nothing"), patience=patience)

    assert heard.errors
    assert heard.messages == []


def rules(heard):
    """The rules over what a crowd has done, and a last page view of everybody."""
    by_messages = MergeOperation.objects.exclude(activity=None)
    ids = {(one.activity_id, one.secondary_id): one.pk.hex for one in by_messages}

    def known(one, also):
        return also._replace(operation=ids.get((as_message(one).key, key_of(also.name)), ""))

    messages = [
        replace(one, also=tuple(known(one, also) for also in one.also)) if one.also else one
        for one in heard.messages
    ]
    return Reference([*messages, *views_later()], heard.merges, undone=heard.undone)


def tell(heard, misplaced, unlike, deadlocks):
    logger.info(
        "%s: %s processes × %s operations over %s identifiers: %s errors, %s misplaced, "
        "equal to the rules: %s; %.0f s, %.0f operations/s",
        connection.vendor,
        PLAN.members,
        PLAN.operations,
        PLAN.identifiers,
        len(heard.errors),
        len(misplaced),
        "no" if unlike else "yes",
        heard.seconds,
        heard.calls / heard.seconds,
    )
    logger.info(
        "%s people; %s messages, %s merges, of these %s undone; %s deadlocks; tried again: %s",
        Person.objects.filter(root=None).count(),
        len(heard.messages),
        MergeOperation.objects.count(),
        len(heard.undone),
        deadlocks,
        heard.refused.most_common(10) or "nothing",
    )


def identifiers():
    return [one.ref for one in Identifier.objects.all()]


def views_later():
    """A page view by each identifier when all is said: it is whoever's the identifier then is."""
    time = microseconds(hour(LATER))
    return [
        Said(
            type="page",
            time=time,
            message_id=ref.value,
            source="later",
            **{anchored(ref)[0]: ref.value},
        )
        for ref in identifiers()
    ]


def owner_later(ref):
    return name_of(Person.objects.owner(ref, at=hour(LATER)))


def resolved_deadlocks() -> int:
    """How many deadlocks the server has resolved so far; SQLite has none."""
    if connection.vendor == "sqlite":
        return 0
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT pg_stat_force_next_flush()")
            cursor.execute("SELECT sum(deadlocks) FROM pg_stat_database")
            return int(cursor.fetchone()[0])
        cursor.execute("SHOW GLOBAL STATUS LIKE 'Innodb_deadlocks'")
        return int(cursor.fetchone()[1])


def differences(have: Graph, wanted: Graph) -> dict[str, object]:
    """What of two graphs is not the same, by its field: at most three examples each."""
    held = {who: objects for who, objects in wanted.relationships.items() if objects}
    pairs = {**vars(wanted), "relationships": held}
    return {
        field: _unlike(getattr(have, field), one)
        for field, one in pairs.items()
        if getattr(have, field) != one
    }


def _unlike(have: Any, wanted: Any) -> object:
    if isinstance(wanted, set):
        return {"too much": [*have - wanted][:3], "missing": [*wanted - have][:3]}
    keys = [key for key in have | wanted if have.get(key, ...) != wanted.get(key, ...)]
    return {key: (have.get(key, ...), wanted.get(key, ...)) for key in keys[:3]}
