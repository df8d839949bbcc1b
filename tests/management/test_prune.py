from __future__ import annotations

import pytest
import time_machine
from django.core.management.base import CommandError

from identity_tracking.models import Activity
from tests.factories import ActivityFactory, FailedEventFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _later():
    with time_machine.travel("2028-01-01T00:00:00+00:00"):
        yield


def test_it_tells_what_went(run):
    ActivityFactory()
    FailedEventFactory()

    told = run("prune")

    assert "Deleted 1 anonymous activities." in told
    assert "Deleted 1 failed events." in told
    assert "Deleted 0 activities of people." in told
    assert not Activity.objects.exists()


def test_it_stops_at_the_limit(run):
    ActivityFactory.create_batch(3)

    run("prune", "--limit=2")

    assert Activity.objects.count() == 1


def test_less_than_nothing_is_no_limit(run):
    ActivityFactory.create_batch(3)

    with pytest.raises(CommandError, match="--limit"):
        run("prune", "--limit=-1")

    assert Activity.objects.count() == 3


def test_a_dry_run_tells_what_would_go(run):
    ActivityFactory()

    assert "Would delete 1 anonymous activities." in run("prune", "--dry-run")
    assert Activity.objects.exists()
