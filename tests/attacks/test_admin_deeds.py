"""No page of another site makes staff who are signed in do anything."""

from __future__ import annotations

from uuid import UUID

import pytest
from django.contrib.admin import site
from django.test import Client
from django.urls import reverse

pytestmark = pytest.mark.django_db

VALUES = {"int": 1, "uuid": UUID(int=1), "str": "1", "path": "1"}


def addresses():
    """Return every address of the admin that is ours."""
    for pattern in site.get_urls():
        for one in getattr(pattern, "url_patterns", ()):
            if str(one.name).startswith("identity_tracking_"):
                converters = one.pattern.converters.values()
                args = [getattr(kind, "regex", "") and _value(kind) for kind in converters]
                yield reverse(f"admin:{one.name}", args=args)


def _value(converter):
    kind = type(converter).__name__.removesuffix("Converter").lower()
    return VALUES[{"string": "str"}.get(kind, kind)]


@pytest.mark.case("CSRF-01")
def test_every_post_to_the_admin_needs_its_token(admin_user, settings):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "ENABLED": False}
    staff = Client(enforce_csrf_checks=True)
    staff.force_login(admin_user)

    answers = {address: staff.post(address).status_code for address in addresses()}

    assert len(answers) > 50
    assert {address for address, status in answers.items() if status != 403} == set()
