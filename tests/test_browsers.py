"""docs/browsers.md: a behaviour has its mark where a test of that number runs in that browser."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROW = re.compile(r"^\| (\d+) \| [^|]+ \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)
NUMBERS = re.compile(r"test_((?:\d\d_and_)*\d\d)_")
TESTED = "✓"


def shown(browser):
    """Return the numbers of the behaviours that a test shows in ``browser``."""
    found: set[int] = set()
    for file in (ROOT / "tests/browser").glob("test_*.py"):
        module = import_module(f"tests.browser.{file.stem}")
        for name, test in vars(module).items():
            numbers = NUMBERS.match(name)
            if numbers and browser in browsers_of(test, module):
                found.update(map(int, numbers[1].split("_and_")))
    return found


def browsers_of(test, module):
    """Return the browsers that the nearest marker names; a marker that names none is Chromium's."""
    marks = [*getattr(test, "pytestmark", ()), *as_list(module.pytestmark)]
    nearest = next(mark for mark in marks if mark.name == "browser")
    return nearest.args or ("chromium",)


def as_list(marks):
    return marks if isinstance(marks, list) else [marks]


@pytest.mark.parametrize(("browser", "column"), [("chromium", 2), ("firefox", 3)])
def test_the_table_marks_what_is_tested_in_a_browser(browser, column):
    rows = ROW.findall((ROOT / "docs/browsers.md").read_text())

    marked = {int(row[0]) for row in rows if row[column - 1] == TESTED}

    assert [int(row[0]) for row in rows] == list(range(1, 47))
    assert marked == shown(browser)
