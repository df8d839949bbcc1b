"""Attributes, each with who wrote it and when, and with the value that lost to it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from identity_tracking.admin.readonly import page_of
from identity_tracking.admin.values import Shown, in_brief, instant, plain
from identity_tracking.identifiers import digest
from identity_tracking.models import Activity
from identity_tracking.payloads import Json


class Written(Protocol):
    """What has attributes: a person, or what an object's registers come to."""

    @property
    def attributes(self) -> dict[str, Json]: ...
    @property
    def provenance(self) -> dict[str, Json]: ...
    @property
    def claimed(self) -> dict[str, Json]: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Who wrote a value, and when. ``link`` is the message's page, for those who may see it."""

    at: datetime | None
    source: str
    trusted: bool
    link: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """An attribute, and the value that lost to it; either may be missing."""

    name: str
    value: Shown | None
    origin: Origin | None
    claimed: Shown | None
    claimed_origin: Origin | None


def attributes(
    written: Written, *, linked: bool, among: Collection[UUID] | None = None
) -> list[Attribute]:
    """Return every attribute by name, with what was claimed in its place.

    ``linked``: lead to the message that wrote it; ``among``: where it is one of these.
    """
    claimed, provenance = mapping(written.claimed), mapping(written.provenance)

    def origin(told: Json) -> Origin | None:
        return _origin(told, linked=linked, among=among)

    return [
        Attribute(
            name=plain(name),
            value=in_brief(written.attributes[name], name) if name in written.attributes else None,
            origin=origin(provenance.get(name)),
            claimed=in_brief(mapping(claimed[name]).get("value"), name)
            if name in claimed
            else None,
            claimed_origin=origin(claimed.get(name)),
        )
        for name in sorted({*written.attributes, *claimed}, key=str.casefold)
    ]


def keys(written: Written) -> set[UUID]:
    """Return the keys of the messages that wrote what is shown, were they anybody's."""
    told = [*written.provenance.values(), *written.claimed.values()]
    return {_key(one) for one in told if isinstance(one, dict)}


def _origin(told: Json, *, linked: bool, among: Collection[UUID] | None) -> Origin | None:
    """Read ``{"at": "2026-11-21T10:00:00+00:00", "source": …, "trusted": …, "message_id": …}``."""
    if not (told := mapping(told)):
        return None
    key = _key(told)
    return Origin(
        at=instant(told.get("at")),
        source=str(told.get("source", "")),
        trusted=bool(told.get("trusted")),
        link=page_of(Activity, key) if linked and (among is None or key in among) else "",
    )


def _key(told: Mapping[str, Json]) -> UUID:
    """Return the key that the activity of a message has."""
    trusted = str(int(bool(told.get("trusted"))))
    return digest(str(told.get("source", "")), trusted, str(told.get("message_id", "")))


def mapping(value: Json) -> Mapping[str, Json]:
    """Return what we wrote into JSON ourselves, whatever stands there."""
    return value if isinstance(value, dict) else {}
