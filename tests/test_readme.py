"""The README's table of settings is what conf.py says; `python -m tests.test_readme` writes it."""

from __future__ import annotations

import re
from pathlib import Path

from docs.generated import settings_table

README = Path(__file__).parent.parent / "README.md"
TABLE = re.compile(r"(<!-- settings: .*? -->\n)(.*?)(<!-- /settings -->)", re.DOTALL)


def test_the_settings_in_the_readme_are_those_of_the_code():
    written = TABLE.search(README.read_text())

    assert written is not None
    assert written[2] == settings_table()


def test_every_setting_says_what_it_means():
    assert [row for row in settings_table().splitlines() if row.endswith("|  |")] == []


if __name__ == "__main__":
    text = TABLE.sub(lambda found: found[1] + settings_table() + found[3], README.read_text())
    README.write_text(text)
