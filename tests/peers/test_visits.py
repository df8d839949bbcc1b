from __future__ import annotations

import pytest

from tests.peers.collector import collecting
from tests.peers.table import told, typical
from tests.peers.trackers import ours
from tests.peers.visits import visiting

pytestmark = pytest.mark.browser

VISITS = 5  # V8's own caches of numbers as strings double by chance: 48 and 65 KB of the heap


def test_a_page_view_of_ours_is_one_script_and_one_post_to_another_origin():
    tracker = ours()

    with collecting([tracker]) as collector, visiting(collector) as visitor:
        without = visitor.visit(None, quiet=0)
        seen = [visitor.visit(tracker, quiet=0.5) for _ in range(VISITS)]

    for visit in seen:
        assert told(visit.requests) == "1 script, 1 POST"
        assert 0 < visit.script < visit.javascript
    assert without.script == 0 < without.javascript
    assert 0 < typical(seen, "heap") - without.heap < 200_000
