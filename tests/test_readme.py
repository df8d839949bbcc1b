"""The README's table of settings is what conf.py says; `python -m tests.test_readme` writes it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
CONF = ROOT / "identity_tracking" / "conf.py"
TABLE = re.compile(r"(<!-- settings: .*? -->\n)(.*?)(<!-- /settings -->)", re.DOTALL)


def settings_table():
    source = CONF.read_text()
    lines = source.splitlines()
    classes = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    (conf,) = (node for node in classes if node.name == "Conf")
    rows = ["| setting | default | meaning |", "|---|---|---|"]
    for node in conf.body:
        if isinstance(node, ast.AnnAssign) and node.value:
            name, kind, default = (
                ast.unparse(part) for part in (node.target, node.annotation, node.value)
            )
            meaning = lines[node.lineno - 1].partition("  # ")[2].replace("``", "`")
            kind = kind.replace("|", "\\|")
            rows.append(f"| `{name}: {kind}` | `{default}` | {meaning} |")
    return "\n".join(rows) + "\n"


def test_the_settings_in_the_readme_are_those_of_the_code():
    written = TABLE.search(README.read_text())

    assert written is not None
    assert written[2] == settings_table()


def test_every_setting_says_what_it_means():
    assert [row for row in settings_table().splitlines() if row.endswith("|  |")] == []


if __name__ == "__main__":
    text = TABLE.sub(lambda found: found[1] + settings_table() + found[3], README.read_text())
    README.write_text(text)
