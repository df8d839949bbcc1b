"""Each case is told in words and shown by a test, or it is said that it is not."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from tests.attacks.__main__ import table
from tests.attacks.cases import NOT_SHOWN, WORDS
from tests.attacks.trying import read

CASE = re.compile(r"[A-Z]+-\d\d")
TESTS = Path(__file__).parent.parent
REPORT = """<testsuites><testsuite>
<testcase classname="tests.api.test_keys" name="test_a[1]">
<properties><property name="case" value="AUTH-05"/></properties></testcase>
<testcase classname="tests.api.test_keys" name="test_a[2]"><failure/>
<properties><property name="case" value="AUTH-05"/></properties></testcase>
<testcase classname="tests.api.test_keys" name="test_b"/>
</testsuite></testsuites>"""


@cache
def named():
    """Return every case that a test names."""
    return {
        node.value
        for path in TESTS.rglob("test_*.py")
        if path != Path(__file__)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if CASE.fullmatch(node.value)
    }


def test_every_case_that_a_test_names_is_told_in_words():
    assert named() - set(WORDS) == set()


def test_every_case_is_shown_by_a_test_or_said_not_to_be():
    assert set(WORDS) - named() - set(NOT_SHOWN) == set()
    assert set(NOT_SHOWN) <= set(WORDS)


def test_the_table_says_what_became_of_a_case():
    rows = list(table({"sqlite": read(REPORT)}))

    assert len(rows) == len(WORDS) + 4
    assert [row for row in rows if "AUTH-05" in row] == [
        f"| AUTH-05 | {WORDS['AUTH-05']} | 1 failed, 1 passed | `api/test_keys.py::test_a` |"
    ]
    assert rows[-1] == f"{len(WORDS)} cases. sqlite: 1 shown, 1 failed."
