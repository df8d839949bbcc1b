"""What people may ask of a site: to be deleted, to be erased for ever. See docs/privacy.md.

Each call is one transaction, or joins the caller's behind a savepoint. Raises Unavailable for
database trouble: then nothing was done.
"""

from __future__ import annotations

from typing import Any

from identity_tracking.ingest.transaction import database, in_transaction
from identity_tracking.models import Person
from identity_tracking.privacy import erasure


def delete(person: Person, *, by: Any = None) -> None:
    """Delete a person, with all they did and said. Safe to repeat.

    A message that comes later makes a new person. ``by``: who says so, a user or any text; it
    stands in the log, where no name of the person does.
    """
    using = database()
    in_transaction(lambda: erasure.delete(person, by=by, using=using), using)


def erase(person: Person, *, by: Any = None) -> None:
    """Delete a person, and refuse for ever every message that names them. Safe to repeat.

    Whatever else mentions them goes too. Raises SuppressionKeyMissing without SUPPRESSION_KEY.
    """
    using = database()
    in_transaction(lambda: erasure.erase(person, by=by, using=using), using)
