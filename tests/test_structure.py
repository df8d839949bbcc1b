"""What the house rules say of the package's files, and neither ruff nor import-linter can."""

from __future__ import annotations

from pathlib import Path

import pytest

import identity_tracking

PACKAGE = Path(identity_tracking.__file__).parent
MODULES = {
    path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
    for path in PACKAGE.rglob("*.py")
    if "migrations" not in path.parts and "sdk" not in path.parts
}
NAMELESS = {"common", "core", "helpers", "managers", "misc", "services", "utils"}


def modules_that_say(words, within=""):
    return {name for name, source in MODULES.items() if name.startswith(within) and words in source}


def test_every_module_is_named_for_what_it_holds():
    assert [name for name in MODULES if NAMELESS & set(Path(name).with_suffix("").parts)] == []


def test_no_module_is_two_things():
    assert [name for name, source in MODULES.items() if source.count("\n") > 400] == []


def test_only_conf_reads_the_settings():
    readers = modules_that_say("settings.IDENTITY_TRACKING")
    readers |= modules_that_say('settings, "IDENTITY_TRACKING"')

    assert readers <= {"conf.py"}


@pytest.mark.parametrize("room", ["identity/", "models/"])
def test_identity_and_models_know_no_request(room):
    assert modules_that_say("django.http", within=room) == set()
