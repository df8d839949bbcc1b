from __future__ import annotations

import pytest

from tests.peers.collector import collecting
from tests.peers.table import told
from tests.peers.trackers import ours
from tests.peers.visits import visiting

pytestmark = pytest.mark.browser


def test_a_page_view_of_ours_is_one_script_and_one_post_to_another_origin():
    tracker = ours()

    with collecting([tracker]) as collector, visiting(collector) as visitor:
        without = visitor.visit(None, quiet=0)
        seen = visitor.visit(tracker, quiet=0.5)

    assert told(seen.requests) == "1 script, 1 POST"
    assert 0 < seen.script < seen.javascript
    assert without.script == 0 < without.javascript
    assert 0 < seen.heap - without.heap < 200_000
