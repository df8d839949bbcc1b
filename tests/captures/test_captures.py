"""What the clients sent when they were recorded, sent again: ``tests.clients --write``."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import transaction

from identity_tracking.models import Activity, Person
from tests.captures.exchanges import recorded
from tests.captures.replaying import people, replay
from tests.rows import Rows
from tests.web import configure

pytestmark = pytest.mark.django_db

HERE = Path(__file__).parent
SERVER = Rows(people=1, activities=8, attributes=2, relationships=1)
TWICE = Rows(people=1, activities=15, attributes=2, relationships=1)  # plain, and as gzip
EXPECTED = {
    "customerio": Rows(people=3, activities=9, attributes=8, relationships=1),
    "customerio-cdp-analytics": SERVER,
    "customerio-cdp-analytics-browser": Rows(4, 24, attributes=2, relationships=1),
    "customerio-cdp-analytics-node": SERVER,
    "customerio-node": Rows(people=3, activities=6, attributes=6),
    "rudder-sdk-python": TWICE,
    "rudderstack-rudder-sdk-node": SERVER,
    "segment-analytics-next": Rows(3, 23, attributes=2, relationships=1),
    "segment-analytics-node": SERVER,
    "segment-analytics-python": TWICE,
}
PAGES = ("customerio-cdp-analytics-browser", "segment-analytics-next")
TRACK_API = {"customerio", "customerio-node"}  # their calls delete, and have no ids of their own


def exchanges(name):
    return list(recorded(HERE / f"{name}.jsonl"))


def test_every_recording_has_its_expected_rows():
    assert {file.stem for file in HERE.glob("*.jsonl")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_a_recording_makes_its_rows_however_often_it_is_sent(settings, name):
    configure(settings, SUPPRESSION_KEY="a key of the tests")

    first = replay(exchanges(name))

    assert (first.rows, set(first.statuses), first.failed) == (EXPECTED[name], {200}, {})
    if name not in TRACK_API:
        assert replay(exchanges(name)).rows == Rows()


@pytest.mark.parametrize("name", PAGES)
def test_what_a_script_sent_again_joins_nobody(name):
    replay(exchanges(name))

    activity = Activity.objects.get(name="made by nobody yet")
    assert activity.person == Person.objects.find(id="A")


@pytest.mark.parametrize("name", PAGES)
def test_the_order_in_which_a_recording_arrives_changes_nobody(name):
    with transaction.atomic():
        replay(exchanges(name))
        as_sent = people()
        transaction.set_rollback(True)

    replay(reversed(exchanges(name)))

    assert people() == as_sent
