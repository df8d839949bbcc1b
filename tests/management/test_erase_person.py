from __future__ import annotations

import pytest
from django.core.management.base import CommandError

from identity_tracking.ingest.process import process
from identity_tracking.messages import Outcome
from identity_tracking.models import Person
from tests.saying import identify, page, person
from tests.web import configure

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ada(settings):
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    process([identify(id="ada", email="a@x.org", anonymous_id="X", trusted=True)])
    return person(id="ada")


@pytest.mark.parametrize("who", ["--id=ada", "--email=A@x.org", "--anonymous-id=X"])
def test_whoever_is_named_is_erased(run, who):
    told = run("erase_person", who, "--yes")

    assert "1 activities, 3 identifiers" in told
    assert "a@x.org" not in told
    assert not Person.objects.exists()
    assert process([page(id="ada")]) == [Outcome.SUPPRESSED]


def test_it_asks_first(run, answer, ada):
    asked = answer("yes")

    run("erase_person", f"--cio-id={ada.cio_id}")

    assert asked == [
        "Erase a@x.org for ever, with 1 activities and 3 identifiers? Type yes to go on: "
    ]
    assert not Person.objects.exists()


def test_any_other_answer_is_no(run, answer):
    answer("y")

    with pytest.raises(CommandError, match="Nothing was erased"):
        run("erase_person", "--id=ada")

    assert Person.objects.exists()


def test_nobody_is_told(run):
    with pytest.raises(CommandError, match="Nobody"):
        run("erase_person", "--id=eve", "--yes")


def test_a_missing_key_is_told(run, settings):
    configure(settings, SUPPRESSION_KEY="", API_KEY="")

    with pytest.raises(CommandError, match="SUPPRESSION_KEY"):
        run("erase_person", "--id=ada", "--yes")


def test_one_name_is_needed(run):
    with pytest.raises(CommandError, match="required"):
        run("erase_person")
