from __future__ import annotations

import json

import pytest
from django.core.management.base import CommandError

from identity_tracking.ingest.process import process
from tests.saying import identify, person, track

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ada():
    process([identify(id="ada", email="a@x.org"), track(id="ada", at=1)])
    return person(id="ada")


def test_it_writes_json(run):
    document = json.loads(run("export_person", "--id=ada"))

    assert document["email"] == "a@x.org"
    assert len(document["timeline"]) == 2


def test_it_writes_csv(run):
    lines = run("export_person", "--email=a@x.org", "--format=csv").splitlines()

    assert len(lines) == 3
    assert "added_to_cart" in lines[1]


def test_a_file_is_for_its_owner_alone(run, tmp_path):
    path = tmp_path / "ada.json"
    path.write_text("what was there before, and was longer" * 100)

    assert run("export_person", "--id=ada", f"--output={path}") == ""

    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["id"] == "ada"


@pytest.mark.parametrize("place", [".", "no/such/ada.json"])
def test_where_no_file_can_be_is_told(run, tmp_path, place):
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_person", "--id=ada", f"--output={tmp_path / place}")
