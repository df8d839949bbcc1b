"""What is kept, counted: how a test, a table or a replay tells what calls have made."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from identity_tracking.models import (
    Activity,
    FailedEvent,
    ObjectRelationship,
    Person,
    TrackedObject,
)


@dataclass(frozen=True, slots=True)
class Rows:
    """``attributes``: those that people and objects have, all told; ``failed``: failed events."""

    people: int = 0
    activities: int = 0
    attributes: int = 0
    relationships: int = 0
    failed: int = 0

    def __sub__(self, other: Rows) -> Rows:
        return Rows(*(one - two for one, two in zip(astuple(self), astuple(other), strict=True)))

    def __str__(self) -> str:
        """Say what is not zero: "people +1, attributes -2"."""
        counts = {field.name: getattr(self, field.name) for field in fields(self)}
        return (
            ", ".join(f"{name} {count:+}" for name, count in counts.items() if count) or "nothing"
        )


def count() -> Rows:
    """Count what there is now."""
    holders = (Person.objects.standing(), TrackedObject.objects.all())
    attributes = sum(
        len(held) for rows in holders for held in rows.values_list("attributes", flat=True)
    )
    return Rows(
        people=Person.objects.standing().count(),
        activities=Activity.objects.count(),
        attributes=attributes,
        relationships=ObjectRelationship.objects.count(),
        failed=FailedEvent.objects.count(),
    )
