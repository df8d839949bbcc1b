from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection

from identity_tracking import users

VENDORED = Path(__file__).parent / "site" / "vendored"

JOINED = datetime(2026, 11, 2, 9, tzinfo=UTC)


def ada(**fields):
    return User(pk=7, username="ada", email="ada@example.com", date_joined=JOINED, **fields)


def test_the_id_is_the_primary_key_as_text():
    assert users.user_id(ada()) == "7"


def test_the_attributes_are_what_the_account_holds():
    assert users.user_attributes(ada(first_name="Ada", last_name="Lovelace")) == {
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "created_at": 1_793_610_000,
    }


def test_what_the_account_does_not_hold_is_left_out():
    assert set(users.user_attributes(ada())) == {"email", "created_at"}


@pytest.mark.django_db
def test_without_allauth_no_email_is_verified():
    assert not users.email_verified(ada())


@pytest.fixture
def allauth(monkeypatch, settings, transactional_db):
    """Take a site with allauth: the app and the table that its verified addresses stand in."""
    monkeypatch.syspath_prepend(VENDORED)
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "allauth.account"]
    model: Any = apps.get_app_config("account").get_model("EmailAddress")
    with connection.schema_editor() as editor:
        editor.create_model(model)
    yield model
    with connection.schema_editor() as editor:
        editor.delete_model(model)


@pytest.mark.parametrize(
    ("address", "verified", "expected"),
    [
        ("ada@example.com", True, True),
        ("Ada@Example.com", True, True),
        ("ada@example.com", False, False),
        ("old@example.com", True, False),
    ],
)
def test_with_allauth_the_address_it_verified_is(allauth, address, verified, expected):
    user = User.objects.create(username="ada", email="ada@example.com")
    allauth.objects.create(user=user, email=address, verified=verified)

    assert users.email_verified(user) is expected


def test_an_address_that_somebody_else_verified_is_not_the_users(allauth):
    user = User.objects.create(username="ada", email="ada@example.com")
    other = User.objects.create(username="bob")
    allauth.objects.create(user=other, email="ada@example.com", verified=True)

    assert not users.email_verified(user)
