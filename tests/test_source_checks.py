from __future__ import annotations

import pytest
from django.core.checks import Tags, run_checks

from identity_tracking import source_checks as checks
from tests.factories import SourceFactory
from tests.web import configure


def found(check, **options):
    return [message.id.removeprefix("identity_tracking.") for message in check(**options)]


@pytest.mark.parametrize("rate", ["fast", "10", "/min", "10/", "10/year", "-1/s", "0/min", " 1/s"])
@pytest.mark.parametrize("name", checks.RATES)
def test_what_is_no_rate_is_an_error(settings, name, rate):
    configure(settings, **{name: rate})

    assert found(checks.check_rates) == ["E014"]


@pytest.mark.parametrize("rate", [None, "1/s", "1200/min", "100000/hour", "5/day"])
def test_a_rate_passes(settings, rate):
    configure(settings, THROTTLE_ADDRESS=rate)

    assert found(checks.check_rates) == []


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({}, ["W009"]),
        ({"TRUSTED_PROXIES": 0}, []),
        ({"TRUSTED_PROXIES": 2}, []),
        ({"THROTTLE_ADDRESS": None}, []),
    ],
    ids=str,
)
def test_in_production_the_proxies_are_to_be_known(settings, given, ids):
    configure(settings, **given)

    assert found(checks.check_proxies) == ids


def test_who_begins_is_not_asked_for_proxies():
    ids = {message.id for message in run_checks(tags=[Tags.security])}

    assert "identity_tracking.W009" not in ids


@pytest.mark.django_db
def test_a_source_that_the_settings_hide_is_an_error(settings):
    SourceFactory(site_id="blog")
    assert found(checks.check_hidden_sources, databases=["default"]) == []

    configure(settings, SITE_ID="blog")

    assert found(checks.check_hidden_sources, databases=["default"]) == ["E015"]
    assert found(checks.check_hidden_sources) == []
