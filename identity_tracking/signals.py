"""What has happened, told after commit by ``send_robust``. Declarations, nothing else."""

from __future__ import annotations

from django.dispatch import Signal

# sender=Person; person: Person, activity_id: UUID of the identify that did it
person_identified = Signal()
# sender=MergeOperation; operation: what was done or undone
people_merged = Signal()
merge_undone = Signal()
# sender=Activity; activity: Activity, as it was stored
activity_recorded = Signal()
# sender=Person; cio_id: str, by which the person was known; nothing else is left
person_deleted = Signal()
person_erased = Signal()
