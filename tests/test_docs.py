"""What the pages show exists: their Python, settings, commands and signals. `make docs` builds."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path
from typing import get_type_hints

import pytest
from django.apps import apps
from django.core.management import find_commands, get_commands
from django.dispatch import Signal

from docs.generated import MANAGEMENT, fill
from identity_tracking import signals
from identity_tracking.conf import Conf

ROOT = Path(__file__).parent.parent
PAGES = {page.name: page for page in (*ROOT.glob("docs/*.md"), ROOT / "README.md")}
PYTHON = re.compile(r"^( *)```python\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
COMMAND = re.compile(r"manage\.py (\w+)")
FILES = re.compile(r"\]\((?!\w+:|#)([^)#]+)")

every_page = pytest.mark.parametrize("page", sorted(PAGES))


def examples(page):
    """Return the page's Python, each block compiled to a tree."""
    blocks = PYTHON.findall(PAGES[page].read_text())
    return [
        ast.parse(re.sub(f"^{indent}", "", code, flags=re.MULTILINE)) for indent, code in blocks
    ]


def imported(tree):
    """Yield the module and name of whatever of ours a tree imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("identity_tracking"):
            yield from ((node.module, one.name) for one in node.names)


def settings_of(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "IDENTITY_TRACKING":
            yield from ast.literal_eval(node.value)


@every_page
def test_its_python_compiles(page):
    for tree in examples(page):
        compile(tree, page, "exec")


@every_page
def test_what_its_python_imports_exists(page):
    names = [one for tree in examples(page) for one in imported(tree)]

    assert [one for one in names if not hasattr(import_module(one[0]), one[1])] == []


@every_page
def test_the_settings_it_sets_are_known(page):
    used = {name for tree in examples(page) for name in settings_of(tree)}

    assert used <= set(get_type_hints(Conf))


@every_page
def test_the_commands_it_names_exist(page):
    named = set(COMMAND.findall(PAGES[page].read_text()))

    assert named <= set(get_commands())


@every_page
def test_the_files_it_links_are_there(page):
    folder = PAGES[page].parent

    links = FILES.findall(PAGES[page].read_text())

    assert [link for link in links if not (folder / link).exists()] == []


def test_the_examples_of_the_tutorial_are_found():
    assert len(examples("tutorial.md")) == 3


def test_every_signal_is_told():
    told = PAGES["signals.md"].read_text()

    names = [name for name, value in vars(signals).items() if isinstance(value, Signal)]

    assert [name for name in names if f"| `{name}` |" not in told] == []


def test_support_is_told_every_permission_of_ours_by_its_name():
    told = PAGES["support.md"].read_text()

    models = apps.get_app_config("identity_tracking").get_models()
    ours = [one for model in models for one in model._meta.permissions]
    rows = [f"| `identity_tracking.{code}` | {name} |" for code, name in ours]

    assert len(rows) >= 8
    assert [row for row in rows if row not in told] == []


def test_every_command_is_told_with_its_own_arguments():
    told = fill(PAGES["commands.md"].read_text())

    assert re.findall(r"^## `(\w+)`$", told, re.MULTILINE) == sorted(find_commands(str(MANAGEMENT)))
    assert "| `--limit LIMIT` | delete at most so many rows |" in told
    assert "(--id ID | --email EMAIL | --cio-id CIO_ID | --anonymous-id ANONYMOUS_ID)" in " ".join(
        told.split()
    )
    assert "--verbosity" not in told
