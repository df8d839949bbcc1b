"""What the documentation takes from the code: the settings, and each command's help.

Reads; never writes. ``docs/conf.py`` puts it into the pages, a test compares README's table.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from django.core.management import find_commands, load_command_class
from django.core.management.base import CommandParser, DjangoHelpFormatter

PACKAGE = Path(__file__).resolve().parent.parent / "identity_tracking"
CONF = PACKAGE / "conf.py"
MANAGEMENT = PACKAGE / "management"
OF_EVERY_COMMAND = DjangoHelpFormatter.show_last | {"-h"}
ONE_LINE = 1000  # characters: argparse breaks usage badly, the page's style sheet well
PLACE = re.compile(r"<!-- generated: (\w+) -->")


def fill(page: str) -> str:
    """Return ``page`` with what belongs in each place, a comment that says what is generated."""
    texts = {"settings": settings_table, "commands": command_sections}
    return PLACE.sub(lambda place: texts[place[1]](), page)


def settings_table() -> str:
    """Return the settings as a table in Markdown: a row each, as conf.py says it."""
    rows = ["| setting | default | meaning |", "|---|---|---|", *_settings()]
    return "\n".join(rows) + "\n"


def command_sections() -> str:
    """Return a section in Markdown for each command: its help, how it is called, its options."""
    return "\n".join(_section(name) for name in sorted(find_commands(str(MANAGEMENT))))


def _settings() -> Iterator[str]:
    source = CONF.read_text()
    lines = source.splitlines()
    classes = (node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    (conf,) = (node for node in classes if node.name == "Conf")
    for node in conf.body:
        if isinstance(node, ast.AnnAssign) and node.value:
            name, kind, default = (
                ast.unparse(part) for part in (node.target, node.annotation, node.value)
            )
            meaning = lines[node.lineno - 1].partition("  # ")[2].replace("``", "`")
            kind = kind.replace("|", "\\|")
            yield f"| `{name}: {kind}` | `{default}` | {meaning} |"


def _section(name: str) -> str:
    command = load_command_class("identity_tracking", name)
    parser = command.create_parser("manage.py", name)
    own = [one for one in parser._actions if not _is_of_every_command(one)]
    lines = [f"## `{name}`", "", command.help, "", "```text", _usage(parser, own), "```", ""]
    if own:
        lines += ["| argument | meaning |", "|---|---|", *(_row(one) for one in own), ""]
    return "\n".join(lines)


def _is_of_every_command(action: argparse.Action) -> bool:
    return not OF_EVERY_COMMAND.isdisjoint(action.option_strings)


def _usage(parser: CommandParser, actions: Iterable[argparse.Action]) -> str:
    formatter = argparse.HelpFormatter(f"python {parser.prog}", width=ONE_LINE)
    formatter.add_usage(None, actions, parser._mutually_exclusive_groups, prefix="")
    return formatter.format_help().strip()


def _row(action: argparse.Action) -> str:
    default = "" if action.default in (None, "", False) else f"default: `{action.default}`"
    meaning = "; ".join(part for part in (action.help, default) if part)
    return f"| `{_written(action)}` | {meaning} |"


def _written(action: argparse.Action) -> str:
    """Return an argument as it is typed: ``--limit LIMIT``, ``--yes``, ``primary``."""
    if not action.option_strings:
        return action.dest
    value = f" {{{','.join(action.choices)}}}" if action.choices else f" {action.dest.upper()}"
    return action.option_strings[0] + ("" if action.nargs == 0 else value)
