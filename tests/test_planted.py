"""The planted bugs still can be planted; ``make planted`` shows that each is caught."""

from __future__ import annotations

import shutil

import pytest

from tests.planted.bugs import ROOT, bugs


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git, to apply a patch")
@pytest.mark.parametrize("bug", bugs(), ids=lambda bug: bug.name)
def test_a_bug_can_be_planted(bug):
    with bug.planted() as place:
        changed = [
            path.relative_to(place)
            for path in (place / "identity_tracking").rglob("*.py")
            if path.read_text() != (ROOT / path.relative_to(place)).read_text()
        ]

    assert len(changed) == 1
    assert all((ROOT / test).exists() for test in bug.tests if not test.startswith("-"))
