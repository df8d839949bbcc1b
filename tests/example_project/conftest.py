from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.example_project.shop import as_the_shop


@pytest.fixture(autouse=True)
def _shop() -> Iterator[None]:
    with as_the_shop():
        yield
