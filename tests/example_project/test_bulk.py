from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from example_project import bulk
from example_project.browsing import Browser
from example_project.cast import TOLD, customer
from example_project.crowd import crowd
from example_project.week import Week, log_in, read, share_a_tablet, sign_up
from identity_tracking import erase
from identity_tracking.ingest.process import process
from identity_tracking.models import (
    Activity,
    Claim,
    Conflict,
    Identifier,
    ObjectRelationship,
    Ownership,
    Person,
    TrackedObject,
)
from tests.comparing import undone

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
MODELS = (Activity, Claim, Identifier, ObjectRelationship, Ownership, Person, TrackedObject)
BY_CHANCE = {"id", "cio_id"}  # of a claim, a relationship, an ownership row; of a person
MANY = range(TOLD, TOLD + 30)


def ids(people):
    return {customer(index).username: str(1000 + index) for index in people} | {
        name: name.upper() for name in ("grace", "henrik", "maya")
    }


def once(people=MANY):
    """The browsers of 30 people who come once, and of 30 who only look in."""
    return crowd(NOW, ids(people), people)


def of_all_sorts():
    """Browsers that several people used, people with several browsers, and emails alone."""
    week = Week(NOW, ids(range(12)))
    for index, story in enumerate((sign_up, log_in, read, read, log_in)):
        story(week, customer(index))
    share_a_tablet(week)
    return week.browsers


def in_order(browsers):
    sent = [message for browser in browsers for message in browser.messages]
    return sorted(sent, key=lambda message: message.order)


def kept():
    """All rows of all models, but for what is drawn by chance."""
    rows = {}
    for model in MODELS:
        left_out = BY_CHANCE - ({"id"} if model in {Activity, Identifier, TrackedObject} else set())
        names = [one.attname for one in model._meta.concrete_fields if one.attname not in left_out]
        rows[model] = sorted(map(repr, model.objects.values_list(*names)))
    return rows


@pytest.mark.parametrize("browsers", [once, of_all_sorts])
def test_it_writes_the_rows_that_ingest_writes(browsers):
    with undone():
        process(in_order(browsers()))
        wanted = kept()

    written = bulk.write(browsers())

    assert written == len(in_order(browsers()))
    assert kept() == wanted
    assert all(wanted[model] for model in (Activity, Claim, Identifier, Ownership, Person))
    assert not Conflict.objects.exists()


def test_most_of_those_who_come_once_are_written_in_bulk(django_assert_max_num_queries):
    with django_assert_max_num_queries(20):
        bulk.write(once())

    assert Person.objects.standing().count() == len(MANY)
    assert Identifier.objects.visitors().unowned().count() == len(MANY)


def test_a_second_time_adds_nothing():
    bulk.write(once())
    before = kept()

    assert bulk.write(once()) == 0
    assert kept() == before


def test_who_is_known_already_keeps_what_they_had():
    someone = next(browser for browser in once() if browser.cookie)
    process(someone.messages[:1])

    bulk.write(once())

    assert {str(one.pk) for one in Activity.objects.all()} == {
        str(message.key) for message in in_order(once())
    }
    visitor = Identifier.objects.get(value=someone.anonymous_id)
    assert visitor.ownership.exists()


def test_who_was_erased_is_not_written_again(settings):
    bulk.write(once())
    person = Person.objects.standing().first()
    assert person is not None
    names = person.user_id, person.email
    erase(person)

    bulk.write(once())

    assert not Person.objects.filter(user_id=names[0], email=names[1]).exists()


def test_two_browsers_with_one_email_are_one_person():
    one, other = (Browser(key, NOW) for key in ("one", "other"))
    for browser in (one, other):
        browser.at = NOW - timedelta(hours=1)
        browser.identify(email="ada@example.com", newsletter=True)

    bulk.write([one, other])

    person = Person.objects.get()
    assert person.activities.count() == 2
    assert len(person.identifiers) == 3
