"""How messages may arrive: a story must end the same, whichever way it was told.

And what tests of arbitrary stories share: their settings, and what they were about.
"""

from __future__ import annotations

import pytest

from identity_tracking.ingest.process import process
from tests.shares import Shares
from tests.stories import LIMIT


def in_one_batch(*said):
    process(said)


def one_by_one(*said):
    for one in said:
        process([one])


def last_first(*said):
    one_by_one(*reversed(said))


def twice(*said):
    process([*said, *said])
    process(said)


@pytest.fixture(params=[in_one_batch, one_by_one, last_first, twice], ids=lambda way: way.__name__)
def arrive(request):
    return request.param


@pytest.fixture
def shares(record_property):
    """What the examples of one test had; told at the end of the run."""
    shares = Shares()
    yield shares
    record_property("shares", str(shares))


@pytest.fixture
def rules(settings):
    """Set how far back a browser's first claim reaches, in microseconds; kiosks come early.

    One dict is changed in place: each new one would be looked through by every later look-up.
    """
    given = {**settings.IDENTITY_TRACKING, "PEOPLE_PER_BROWSER": LIMIT, "LOOK_BACK": None}
    settings.IDENTITY_TRACKING = given

    def apply(look_back=None):
        given["LOOK_BACK"] = None if look_back is None else look_back // 1_000_000

    return apply
