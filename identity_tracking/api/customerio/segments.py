"""Who is in a manual segment: those who are known, of the ids that a call lists."""

from __future__ import annotations

from typing import Any

from identity_tracking.api import deeds
from identity_tracking.api.customerio.decoder import PEOPLE, Reader
from identity_tracking.api.objects import members
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.identifiers import names

MOST = 1_000  # https://docs.customer.io/integrations/api/track/#operation/add_customers


def change(segment: str, body: Any, id_type: str, reader: Reader, *, present: bool) -> None:
    """Put people into a manual segment, or take them out."""
    given = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(given, list) or not 1 <= len(given) <= MOST:
        raise InvalidMessage(f'Give "ids", 1 to {MOST} of them.', code="invalid_ids")
    if id_type not in PEOPLE:
        raise InvalidMessage("id_type is id, email or cio_id.", code="invalid_id_type")
    known = deeds.known([names(**{id_type: one}) for one in given])
    changes = members(segment, present=present)
    deeds.keep([reader.related(called, changes) for called in known])
