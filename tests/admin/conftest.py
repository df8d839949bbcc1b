from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Staff(Client):
    """Somebody at the admin: reads screens as text, by the name of a model."""

    def read(self, model, row=None, **query):
        """Return the HTML of a list, or of the page of ``row``."""
        screen, args = ("changelist", []) if row is None else ("change", [row.pk])
        address = reverse(f"admin:identity_tracking_{model}_{screen}", args=args)
        response = self.get(address, query, follow=True)
        assert response.status_code == 200
        return response.content.decode()

    def text(self, model, row=None, **query):
        """Return what a screen says, without its tags."""
        main = self.read(model, row, **query).split('id="content-start"', 1)[1]
        return " ".join(unescape(re.sub("<[^>]*>", " ", main.split(">", 1)[1])).split())


@pytest.fixture(autouse=True)
def _nobody_tracked(settings):
    """Let the staff's own logins leave no trace among the rows that a test makes."""
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "ENABLED": False}


@pytest.fixture
def at_noon():
    """Let it be NOON."""
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def staff(admin_user):
    """Somebody who may see everything."""
    client = Staff()
    client.force_login(admin_user)
    return client


@pytest.fixture
def staff_with(db):
    """Make somebody who may see only some models."""

    def make(*rights):
        user = User.objects.create_user("clerk", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=rights))
        client = Staff()
        client.force_login(user)
        return client

    return make
