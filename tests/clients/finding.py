"""Whom calls were about, as their tests ask for them."""

from __future__ import annotations

from identity_tracking.models import Person


def find(**who):
    return Person.objects.find(**who)


def related(**who):
    """Return what somebody relates to: {"company: acme"}."""
    return {str(one.object) for one in find(**who).relationships}
