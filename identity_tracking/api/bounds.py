"""How much one public request may claim: to settle who is who costs far more than to be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from identity_tracking.exceptions import InvalidMessage

MOST_CLAIMS = 100  # of who somebody is, in one request; no page has as many to say
CLAIMING = ("identify", "alias", "link")  # as the script and Segment call them


def refuse_many_claims(items: Iterable[Any]) -> None:
    """Raise InvalidMessage, ``too_large``, where a stranger says too often who somebody is."""
    claims = sum(isinstance(item, Mapping) and item.get("type") in CLAIMING for item in items)
    if claims > MOST_CLAIMS:
        told = f"A request says at most {MOST_CLAIMS} times who somebody is."
        raise InvalidMessage(told, code="too_large")
