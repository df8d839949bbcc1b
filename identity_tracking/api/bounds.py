"""How much one public request may claim: to settle who is who costs far more than to be told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from identity_tracking.exceptions import InvalidMessage

MOST_CLAIMS = 100  # of who somebody is, in one request; no page has as many to say
CLAIMING = ("identify", "sidentify", "alias", "link")  # as the script and Segment call them
FORM = "_cio_form"  # the name of the track that is a form: the script of forms makes it so


def refuse_many_claims(items: Iterable[Any]) -> None:
    """Raise InvalidMessage, ``too_large``, where a stranger says too often who somebody is."""
    if sum(map(_claims, items)) > MOST_CLAIMS:
        told = f"A request says at most {MOST_CLAIMS} times who somebody is."
        raise InvalidMessage(told, code="too_large")


def _claims(item: Any) -> bool:
    return isinstance(item, Mapping) and (item.get("type") in CLAIMING or item.get("name") == FORM)
