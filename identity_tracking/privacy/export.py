"""Give somebody a copy of all that is kept of them: as one JSON document, or their timeline as CSV.

Nobody else's data is in it. Of a shared browser there is only what was theirs; a merge or a
conflict that names another person is told without them. The timeline is read as it is written.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TextIO
from uuid import UUID

from django.db.models import Q, QuerySet

from identity_tracking.identity.why import Reason, why
from identity_tracking.models import Activity, Claim, Conflict, MergeOperation, Person
from identity_tracking.models.identifier import BEGINNING, END
from identity_tracking.models.operation import naming
from identity_tracking.payloads import Json

CHUNK = 1_000  # activities read at a time
COLUMNS = ("time", "type", "name", "url", "identifier", "properties", "context", "message_id")
_FORMULAS = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
)  # https://owasp.org/www-community/attacks/CSV_Injection


def export(person: Person, using: str) -> dict[str, Json]:
    """Return all that is kept of ``person`` as one JSON document, the timeline newest first."""
    return {**_who(person, using), "timeline": list(timeline(person))}


def write_json(person: Person, out: TextIO, using: str) -> Iterator[int]:
    """Write the document of ``export`` to ``out``; yield once for each activity written."""
    head = json.dumps(_who(person, using), indent=2, ensure_ascii=False)
    out.write(head.removesuffix("\n}") + ',\n  "timeline": [')
    mark = "\n"
    for activity in timeline(person):
        out.write(f"{mark}    {json.dumps(activity, ensure_ascii=False)}")
        mark = ",\n"
        yield 1
    out.write("\n  ]\n}\n")


def write_csv(person: Person, out: TextIO) -> Iterator[int]:
    """Write the timeline to ``out``, no cell a formula; yield once for each activity written."""
    rows = csv.writer(out)
    rows.writerow(COLUMNS)
    for activity in timeline(person):
        rows.writerow([cell(value) for value in _cells(activity)])
        yield 1


def timeline(person: Person) -> Iterator[dict[str, Json]]:
    """Yield what ``person`` did, newest first."""
    activities = _root(person).activities.select_related("identifier")
    return map(_activity, activities.iterator(chunk_size=CHUNK))


def cell(value: Json) -> str:
    """Return ``value`` as text that no spreadsheet takes for a formula."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return f"'{text}" if text.startswith(_FORMULAS) else text


def _root(person: Person) -> Person:
    return person.root or person


def _who(person: Person, using: str) -> dict[str, Json]:
    root = _root(person)
    people = Person.objects.using(using).filter(pk__in=root.component)
    reasons = why(root, using)
    keys = {reason.identifier.pk for reason in reasons}
    return {
        "name": root.full_name or None,
        "id": root.user_id,
        "email": root.email,
        "cio_ids": [root.cio_id, *_others(people, root)],
        "created_at": _time(root.created_at),
        "first_seen": _time(root.first_seen),
        "last_seen": _time(root.last_seen),
        "identifiers": [_identifier(reason) for reason in reasons],
        "attributes": [_attribute(root, name) for name in _names(root)],
        "relationships": [_relationship(one) for one in root.relationships],
        "merges": [_merge(one, root.component) for one in _merges(root, using)],
        "conflicts": [_conflict(one, keys) for one in _conflicts(keys, using)],
    }


def _others(people: QuerySet[Person], root: Person) -> list[str]:
    return sorted(people.exclude(pk=root.pk).values_list("cio_id", flat=True))


def _identifier(reason: Reason) -> dict[str, Json]:
    one = reason.identifier
    return {
        "kind": one.ref.field,
        "value": one.value,
        "first_seen": _time(one.created_at),
        "theirs_since": None if reason.since == BEGINNING else _time(reason.since),
        "theirs_until": None if reason.until == END else _time(reason.until),
        "because": [_claim(claim) for claim in reason.claims],
        "merged_at": [_time(merge.at) for merge in reason.merges],
    }


def _claim(claim: Claim) -> dict[str, Json]:
    return {
        "message_id": claim.message_id,
        "type": claim.activity.type,
        "time": _time(claim.time),
        "source": claim.source,
        "trusted": claim.trusted,
        "proven": claim.firm,
    }


def _names(person: Person) -> list[str]:
    return sorted({*person.attributes, *person.claimed})


def _attribute(person: Person, name: str) -> dict[str, Json]:
    return {
        "name": name,
        "value": person.attributes.get(name),
        "written": person.provenance.get(name),
        "claimed": person.claimed.get(name),
    }


def _relationship(relationship: Json) -> dict[str, Json]:
    return {
        "object_type": relationship.object.object_type,
        "object_id": relationship.object.object_id,
        "attributes": relationship.attributes,
    }


def _merges(person: Person, using: str) -> QuerySet[MergeOperation]:
    operations = MergeOperation.objects.using(using).filter(naming(person.component))
    return operations.select_related("primary__anchor", "secondary__anchor").order_by("at", "pk")


def _merge(operation: MergeOperation, own: Iterable[UUID]) -> dict[str, Json]:
    sides = (operation.primary, operation.secondary)
    mine = [side.own.value if side.pk in own else None for side in sides]
    return {
        "primary": mine[0],
        "secondary": mine[1],
        "at": _time(operation.at),
        "undone_at": _time(operation.undone_at),
        "reason": operation.reason if all(mine) else None,
    }


def _conflicts(keys: set[UUID], using: str) -> QuerySet[Conflict]:
    told = Conflict.objects.using(using).filter(Q(identifier__in=keys) | Q(other__in=keys))
    return told.select_related("identifier", "other").order_by("found_at", "pk")


def _conflict(conflict: Conflict, own: set[UUID]) -> dict[str, Json]:
    sides = [side for side in (conflict.identifier, conflict.other) if side]
    mine = [side.value for side in sides if side.pk in own]
    return {
        "code": conflict.code,
        "identifiers": mine,
        "detail": conflict.detail,
        "found_at": _time(conflict.found_at),
        "settled_at": _time(conflict.settled_at),
        "note": conflict.note if len(mine) == len(sides) else None,
    }


def _activity(activity: Activity) -> dict[str, Json]:
    return {
        "time": _time(activity.timestamp),
        "received_at": _time(activity.received_at),
        "type": activity.type,
        "name": activity.name,
        "identifier": {activity.identifier.ref.field: activity.identifier.value},
        "properties": activity.properties,
        "context": activity.context,
        "source": activity.source,
        "trusted": activity.trusted,
        "message_id": activity.message_id,
    }


def _cells(activity: dict[str, Json]) -> list[Json]:
    (identifier,) = activity["identifier"].values()
    page = activity["context"].get("page")
    url = page.get("url", "") if isinstance(page, dict) else ""
    return [{**activity, "identifier": identifier, "url": url}[name] for name in COLUMNS]


def _time(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
