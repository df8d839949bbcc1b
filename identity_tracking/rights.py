"""What people may ask of a site: a copy, to be deleted, to be erased. See docs/privacy.md.

What changes something is one transaction, or joins the caller's behind a savepoint. Raises
Unavailable for database trouble: then nothing was done.
"""

from __future__ import annotations

from typing import Any

from identity_tracking.identifiers import Names
from identity_tracking.ingest.transaction import database, in_transaction, reachable
from identity_tracking.models import Person
from identity_tracking.payloads import Json
from identity_tracking.privacy import erasure, suppression
from identity_tracking.privacy import export as exporting


def export(person: Person) -> dict[str, Json]:
    """Return all that is kept of a person as one JSON document, and nobody else's data.

    The whole history is in it: the command ``export_person`` writes a long one piece by piece.
    """
    using = database()
    with reachable(using):
        return exporting.export(person, using)


def delete(person: Person, *, by: Any = None) -> None:
    """Delete a person, with all they did and said. Safe to repeat.

    A message that comes later makes a new person. ``by``: who says so, a user or any text; it
    stands in the log, where no name of the person does.
    """
    using = database()
    in_transaction(lambda: erasure.delete(person, by=by, using=using), using)


def erase(person: Person, *, by: Any = None) -> None:
    """Delete a person, and refuse for ever every message that names them. Safe to repeat.

    Whatever else mentions them goes too. Raises SuppressionKeyMissing without any key.
    """
    using = database()
    in_transaction(lambda: erasure.erase(person, by=by, using=using), using)


def suppress(called: Names, *, by: Any = None) -> None:
    """Erase whoever is ``called`` so, and refuse them for ever, known so far or not.

    Safe to repeat. Raises SuppressionKeyMissing without any key.
    """
    using = database()
    in_transaction(lambda: erasure.suppress(called, by=by, using=using), using)


def unsuppress(called: Names) -> None:
    """Accept again who was ``called`` so, by all that they were called when they were erased.

    What was erased stays so. Safe to repeat.
    """
    using = database()
    in_transaction(lambda: suppression.unsuppress(suppression.keys_of_names(called), using), using)
