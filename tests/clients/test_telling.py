from __future__ import annotations

import json

from tests.clients.products import HERE, NODE

DOCS = HERE.parent.parent / "docs"


def test_the_pages_tell_what_the_clients_of_the_pinned_versions_make():
    told = "".join((DOCS / page).read_text() for page in ("customerio.md", "segment.md"))
    pinned = json.loads((NODE / "package.json").read_text())["dependencies"]
    lines = (HERE / "python/requirements.txt").read_text().split()
    pinned |= dict(line.split("==") for line in lines)

    assert len(pinned) == 7
    assert [name for name, version in pinned.items() if f"{name} {version}" not in told] == []
