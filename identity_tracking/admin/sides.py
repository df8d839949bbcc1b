"""Two people side by side, and the one whom a merge would make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.confirming import foreseen
from identity_tracking.admin.values import Shown, in_brief, plain
from identity_tracking.models import Person
from identity_tracking.payloads import Json
from identity_tracking.shortcuts import merge

NAMES: Mapping[str, str | Promise] = {
    "user_id": _("id"),
    "email": _("email"),
    "cio_id": "cio_id",
    "first_seen": _("first seen"),
    "last_seen": _("last seen"),
}
TIMES = {"first_seen", "last_seen"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One attribute of both, and what it will be; None where there is none."""

    name: str | Promise
    primary: Shown | None
    secondary: Shown | None
    is_name: bool
    result: Shown | None

    @property
    def is_filled(self) -> bool:
        """Whether the merge brings what the primary lacked."""
        return self.primary is None and self.result is not None

    @property
    def is_lost(self) -> bool:
        """Whether the secondary's value will be seen no more; names keep leading to the person."""
        return not self.is_name and self.secondary not in (None, self.result)


def sides(primary: Person, secondary: Person) -> dict[str, Any]:
    """Return both people, and the one they would be: by the very merge, taken back unseen."""
    result = foreseen(lambda: merge(primary, secondary), lambda: _row_of(primary))
    people = (primary, secondary, result)
    attributes = [person.attributes for person in people]
    names = sorted({name for values in attributes for name in values}, key=str.casefold)
    return {
        "primary": primary,
        "secondary": secondary,
        "fields": [
            _row(label, name, [vars(one) for one in people]) for name, label in NAMES.items()
        ],
        "attributes": [_row(plain(name), name, attributes) for name in names],
    }


def _row_of(person: Person) -> Person:
    row = Person.objects.select_related("root").get(pk=person.pk)
    return row.root or row


def _row(label: str | Promise, name: str, values: Sequence[Mapping[str, Any]]) -> Row:
    primary, secondary, result = (_shown(name, one) for one in values)
    return Row(
        name=label,
        primary=primary,
        secondary=secondary,
        is_name=label is NAMES.get(name),
        result=result,
    )


def _shown(name: str, values: Mapping[str, Any]) -> Shown | None:
    value: Json = values.get(name)
    if value is None:
        return None
    return in_brief(value.timestamp() if name in TIMES else value, "_at" if name in TIMES else name)
