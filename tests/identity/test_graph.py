"""The package against the reference model, after every batch of arbitrary ones.

``GRAPHS=10000 pytest tests/identity/test_graph.py`` tries that many sets.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_tracking.ingest.process import process
from tests.comparing import as_message, assert_same, assert_sound, undone, with_operations
from tests.reference import Reference, Said
from tests.shares import features
from tests.stories import LIMIT, LOOK_BACK, deliveries

EXAMPLES = int(os.environ.get("GRAPHS", "200"))


@pytest.mark.django_db
def test_the_graph_is_what_the_rules_say_after_every_batch(shares, rules):
    @given(deliveries(), st.sampled_from([None, None, LOOK_BACK]))
    @settings(max_examples=EXAMPLES, report_multiple_bugs=False)
    def tried(deliveries, look_back):
        rules(look_back)
        told: list[Said] = []
        with undone():
            for batch in deliveries:
                process([as_message(one) for one in batch])
                told = with_operations([*told, *batch])
                reference = Reference(told, people_per_browser=LIMIT, look_back=look_back)
                assert_same(reference)
            assert_sound(reference)
        shares.add(features(reference, told))

    tried()

    shares.assert_reached("contested browsers", "late claims", "soft against firm emails")
