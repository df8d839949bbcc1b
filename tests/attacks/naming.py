"""A plugin of pytest: each test says in its report which cases it shows."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("case"):
            item.user_properties += [("case", name) for name in marker.args]
