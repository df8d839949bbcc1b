"""How messages may arrive: a story must end the same, whichever way it was told."""

from __future__ import annotations

import pytest

from identity_tracking.ingest.process import process


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
