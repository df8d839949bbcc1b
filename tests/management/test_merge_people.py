from __future__ import annotations

import pytest
from django.core.management.base import CommandError

from identity_tracking.ingest.process import process
from identity_tracking.models import MergeOperation
from tests.saying import page, person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _people():
    process([page(id="ada"), page(email="lead@x.org")])


def test_two_people_become_one(run):
    run("merge_people", "ada", "lead@x.org", "--yes", "--reason=same human")

    assert person(email="lead@x.org").user_id == "ada"
    operation = MergeOperation.objects.get()
    assert (operation.by, operation.reason) == ("merge_people", "same human")


def test_a_cio_id_names_somebody_too(run, answer):
    asked = answer("YES")

    run("merge_people", f"cio_{person(id='ada').cio_id}", "lead@x.org")

    assert "Make lead@x.org" in asked[0]
    assert MergeOperation.objects.exists()


def test_it_asks_first(run, answer):
    answer("")

    with pytest.raises(CommandError, match="Nobody was merged"):
        run("merge_people", "ada", "lead@x.org")


def test_nobody_is_merged_with_themselves(run):
    with pytest.raises(CommandError, match="themselves"):
        run("merge_people", "ada", "ada", "--yes")
