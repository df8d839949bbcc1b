from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management.base import CommandError
from django.db import OperationalError, connection

from identity_tracking import erase
from identity_tracking.models import Activity, Identifier, Person
from tests.saying import person
from tests.web import configure

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ada(django_user_model):
    return django_user_model.objects.create(
        username="ada",
        email="a@x.org",
        first_name="Ada",
        date_joined=datetime(2020, 1, 1, tzinfo=UTC),
    )


def test_every_user_becomes_a_person(run, ada, django_user_model):
    django_user_model.objects.create(username="bob")

    assert run("identify_users", "--batch=1") == "2 identified.\n"

    known = person(id=str(ada.pk))
    assert (known.email, known.attributes) == ("a@x.org", {"first_name": "Ada"})
    assert known.created_at == ada.date_joined
    assert Person.objects.identified().count() == 2


@pytest.mark.parametrize("batch", [0, -1])
def test_a_batch_holds_somebody(run, batch):
    with pytest.raises(CommandError, match="--batch"):
        run("identify_users", f"--batch={batch}")


def test_a_second_run_changes_nothing(run):
    run("identify_users")

    assert run("identify_users") == "1 known as they are.\n"
    assert Activity.objects.count() == 1


def test_what_changed_since_is_told(run, ada):
    run("identify_users")
    ada.first_name = "Augusta"
    ada.save()

    assert run("identify_users") == "1 identified.\n"
    assert person(id=str(ada.pk)).attributes["first_name"] == "Augusta"


@pytest.mark.parametrize("verified", [True, False])
def test_only_a_verified_email_is_proven(run, settings, verified):
    configure(settings, EMAIL_VERIFIED=lambda user: verified)

    run("identify_users")

    email = Identifier.objects.get(value="a@x.org")
    assert email.claims.get().firm is verified


@pytest.mark.parametrize("verified", [True, False])
def test_a_user_without_an_id_is_proven_by_a_verified_email_alone(run, settings, verified):
    configure(settings, USER_ID=None, EMAIL_VERIFIED=lambda user: verified)

    run("identify_users")

    assert Identifier.objects.get(value="a@x.org").known is verified


def test_a_user_without_an_id_is_counted(run, settings):
    configure(settings, USER_ID=None, USER_ATTRIBUTES=None)

    assert run("identify_users") == "1 without an id.\n"


def test_attributes_that_cannot_be_kept_are_counted(run, settings):
    configure(settings, USER_ATTRIBUTES=lambda user: {"is": float("nan")})

    assert run("identify_users") == "1 refused: number_not_finite.\n"


def test_relationships_come_too(run, settings, ada):
    company = {"identifiers": {"object_type_id": "company", "object_id": "acme"}}
    configure(
        settings,
        USER_ATTRIBUTES=lambda user: {
            "cio_relationships": {"action": "add_relationships", "relationships": [company]}
        },
    )

    run("identify_users")

    assert person(id=str(ada.pk)).relationships.get().object.object_id == "acme"


def test_whoever_was_erased_is_not_identified_again(run, settings, ada):
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    run("identify_users")
    erase(person(id=str(ada.pk)))

    assert run("identify_users") == "1 erased, and not identified again.\n"
    assert not Person.objects.exists()


def test_a_database_that_is_away_is_told(run):
    def away(execute, sql, params, many, context):
        if sql.startswith("INSERT"):
            raise OperationalError
        return execute(sql, params, many, context)

    with connection.execute_wrapper(away), pytest.raises(CommandError, match="Run it again"):
        run("identify_users")


def test_where_the_app_is_off_it_says_so_and_identifies_nobody(run, settings):
    configure(settings, ENABLED=False)

    with pytest.raises(CommandError, match="ENABLED"):
        run("identify_users")
    assert not Person.objects.exists()
