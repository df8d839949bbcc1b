from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Max

from identity_tracking.models import FailedEvent
from identity_tracking.models.moment import moment_of

pytestmark = pytest.mark.django_db

NOON = datetime(2024, 7, 5, 12, 0, 0, 123456, tzinfo=UTC)
BEFORE = datetime(2024, 11, 3, 5, 30, tzinfo=UTC)  # 1:30 in New York, and so is an hour later


@pytest.fixture
def no_zones(settings):
    settings.USE_TZ, settings.TIME_ZONE = False, "America/New_York"


def keep(moment):
    FailedEvent.objects.create(
        code="c", payload="", source="shop", trusted=True, received_at=moment
    )


def kept():
    return list(FailedEvent.objects.order_by("received_at").values_list("received_at", flat=True))


@pytest.mark.usefixtures("no_zones")
def test_without_time_zones_a_moment_comes_back_as_it_was():
    keep(NOON)

    assert kept() == [NOON]
    assert FailedEvent.objects.get(received_at=NOON).received_at == NOON
    assert FailedEvent.objects.aggregate(Max("received_at")) == {"received_at__max": NOON}


@pytest.mark.usefixtures("no_zones")
def test_without_time_zones_a_moment_reads_as_the_sites_clock_does():
    keep(NOON)

    assert kept()[0].replace(tzinfo=None, microsecond=0) == datetime(2024, 7, 5, 8)  # noqa: DTZ001


@pytest.mark.usefixtures("no_zones")
def test_without_time_zones_a_naive_moment_is_one_of_the_sites_clock():
    keep(datetime(2024, 7, 5, 8))  # noqa: DTZ001

    assert kept() == [NOON.replace(microsecond=0)]


@pytest.mark.usefixtures("no_zones")
def test_without_time_zones_an_hour_that_clocks_run_twice_is_two():
    after = BEFORE + timedelta(hours=1)
    keep(after)
    keep(BEFORE)

    assert kept() == [BEFORE, after]
    assert kept()[1] - kept()[0] == timedelta(hours=1)


def test_moments_stay_what_they_are_when_a_site_goes_over_to_time_zones(settings):
    settings.USE_TZ, settings.TIME_ZONE = False, "America/New_York"
    keep(NOON)
    keep(BEFORE)

    settings.USE_TZ = True

    assert kept() == [NOON, BEFORE]


@pytest.mark.parametrize("use_tz", [True, False])
def test_a_moment_that_plain_sql_reads_is_the_same(settings, use_tz):
    settings.USE_TZ, settings.TIME_ZONE = use_tz, "America/New_York"
    keep(NOON)

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT received_at FROM {FailedEvent._meta.db_table}")  # noqa: S608

        assert moment_of(cursor.fetchone()[0], "default") == NOON
