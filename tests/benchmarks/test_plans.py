from __future__ import annotations

import pytest
from django.db import connection
from django.db.models import Subquery
from django.test.utils import CaptureQueriesContext

from identity_tracking.models import Activity, Identifier
from tests.benchmarks.plans import of_activities, scans
from tests.factories import ActivityFactory

pytestmark = pytest.mark.django_db


def ways(rows):
    """How the database reads activities for ``rows``, as far as indexes let it."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off")
    with CaptureQueriesContext(connection) as captured:
        list(rows)
    return of_activities([one["sql"] for one in captured.captured_queries], "default")


@pytest.fixture(autouse=True)
def _database():
    if connection.vendor == "mysql":
        pytest.skip("its plans are another's")


@pytest.mark.parametrize("of", [{"name": "x"}, {"properties__sku": "A1"}])
def test_a_look_at_every_activity_is_told(of):
    assert scans(ways(Activity.objects.filter(**of)))


def test_so_it_is_within_another_query():
    named = Activity.objects.filter(name="x").values("name")[:1]
    ActivityFactory()

    assert scans(ways(Identifier.objects.annotate(found=Subquery(named))))


@pytest.mark.parametrize("rows", ["newest", "own"])
def test_a_look_by_an_index_is_none(rows):
    activity = ActivityFactory()
    everything = Activity.objects.all()
    own = everything.filter(identifier=activity.identifier_id)
    found = ways({"newest": everything.order_by("-timestamp")[:5], "own": own}[rows])

    assert found
    assert scans(found) == []
