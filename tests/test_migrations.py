from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader


@pytest.fixture(scope="module")
def migrations():
    loader = MigrationLoader(connection=None)
    return [
        found for (app, _), found in loader.disk_migrations.items() if app == "identity_tracking"
    ]


@pytest.mark.django_db
def test_models_need_no_further_migration():
    call_command("makemigrations", "identity_tracking", check=True, dry_run=True)


def test_every_migration_can_be_undone(migrations):
    one_way = [
        found for found in migrations if not all(step.reversible for step in found.operations)
    ]

    assert one_way == []


def test_every_migration_is_named_for_what_it_does(migrations):
    assert [found.name for found in migrations if "_auto_" in found.name] == []
