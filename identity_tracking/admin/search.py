"""What a search term may mean: exact look-ups by key first, and beginnings that an index finds."""

from __future__ import annotations

from uuid import UUID

from django.db import connections
from django.db.models import Q

from identity_tracking.identifiers import Ref, names
from identity_tracking.models import Ownership, Person

MANY = 100  # people: of so many at most an exact term may be
SOME = 500  # people: of those whose id, or email, begins with a term

_LAST = "\U0010ffff"


def refs_called(term: str) -> list[Ref]:
    """Return the identifiers of every kind that ``term`` may be the value of."""
    called = (names(id=term), names(email=term), names(anonymous_id=term))
    return sorted({ref for one in called for ref in one.refs})


def people_called(term: str, using: str) -> set[UUID]:
    """Return the keys of the people whom ``term`` means, at any time, in full.

    It may be an id, an email, an anonymous id, or a cio_id with or without its "cio_".
    """
    keys = [ref.key for ref in refs_called(term)]
    owners = Ownership.objects.using(using).filter(identifier__in=keys)
    found = set(owners.values_list("person", "person__root").distinct()[:MANY])
    named = Person.objects.using(using).filter(cio_id=term.removeprefix("cio_"))
    found |= set(named.values_list("pk", "root"))
    return {root or person for person, root in found}


def people_beginning(term: str, using: str) -> set[UUID]:
    """Return the keys of people whose id or email begins with ``term``: of many, the first.

    Keys, as a condition beside others would tempt databases to read all people.
    """
    found: set[tuple[UUID, UUID | None]] = set()
    for field, text in (("user_id", term), ("email", term.lower())):
        people = Person.objects.using(using).filter(_begins(field, text, using)).order_by(field)
        found |= set(people.values_list("pk", "root")[:SOME])
    return {root or person for person, root in found}


def _begins(field: str, text: str, using: str) -> Q:
    """Return a condition that is a range of an index, in the way of each database.

    PostgreSQL keeps an index for LIKE beside each text column's; MySQL's LIKE BINARY, which is
    Django's startswith there, knows none; nor does SQLite's LIKE.
    """
    vendor = connections[using].vendor
    if vendor == "postgresql":
        return Q(**{f"{field}__startswith": text})
    if vendor == "mysql":
        return Q(**{f"{field}__istartswith": text})
    return Q(**{f"{field}__gte": text, f"{field}__lt": text + _LAST})
