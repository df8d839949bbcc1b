"""A copy of all that is kept of somebody, and of nobody else."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from identity_tracking import export, merge
from identity_tracking.ingest.process import process
from identity_tracking.models import Activity, Conflict
from identity_tracking.privacy import export as exporting
from tests.factories import START, ConflictFactory, IdentifierFactory
from tests.saying import hour, identify, page, person, relate, track

pytestmark = pytest.mark.django_db

OTHERS = ("bob-77", "bob@example.com", "bobs-page", "bobs-phone")


@pytest.fixture
def ada():
    """Ada, who shared a browser, an email and, by mistake, a person with Bob."""
    bob, his_email, his_page, his_phone = OTHERS
    process(
        [
            page(anonymous_id="shared", at=1, context={"page": {"url": "http://x/"}}),
            identify(id="ada", email="a@x.org", anonymous_id="shared", trusted=True, at=2),
            identify(id="ada", at=3, trusted=True, properties={"plan": "pro", "first_name": "Ada"}),
            identify(id="ada", at=3, properties={"plan": "free", "last_name": "Lovelace"}),
            relate("acme", id="ada", role="admin", at=4),
            track(id="ada", at=5, properties={"sku": "A1"}),
            page(anonymous_id="shared", at=6, name="the gap"),
            identify(id=bob, email=his_email, anonymous_id="shared", trusted=True, at=7),
            page(anonymous_id="shared", at=8, name=his_page),
            identify(id=bob, anonymous_id=his_phone, at=8),
            identify(id=bob, email="a@x.org", at=9),
        ]
    )
    merge(person(id="ada"), person(id=bob), reason=f"{bob} is she").undo()
    return person(id="ada")


@pytest.mark.case("PRIV-07")
def test_it_says_who_they_are_and_why_we_think_so(ada):
    document = export(ada)

    assert document["name"] == "Ada Lovelace"
    assert (document["id"], document["email"]) == ("ada", "a@x.org")
    assert ada.cio_id in document["cio_ids"]
    assert len(document["cio_ids"]) == 2
    assert document["first_seen"] == hour(1).isoformat()
    browser = document["identifiers"][-1]
    assert (browser["kind"], browser["value"]) == ("anonymous_id", "shared")
    assert (browser["theirs_since"], browser["theirs_until"]) == (
        None,
        "2026-11-02T11:00:00.000001+00:00",
    )
    (claim,) = browser["because"]
    assert (claim["type"], claim["time"]) == ("identify", hour(2).isoformat())
    assert claim["trusted"] is claim["proven"] is True


def test_attributes_come_with_where_they_are_from_and_what_was_claimed(ada):
    attributes = {one["name"]: one for one in export(ada)["attributes"]}

    assert sorted(attributes) == ["first_name", "last_name", "plan"]
    assert attributes["plan"]["value"] == "pro"
    assert attributes["plan"]["written"]["trusted"] is True
    assert attributes["plan"]["claimed"]["value"] == "free"
    assert attributes["last_name"]["claimed"] is None


def test_relationships_are_in_it(ada):
    assert export(ada)["relationships"] == [
        {"object_type": "company", "object_id": "acme", "attributes": {"role": "admin"}}
    ]


@pytest.mark.case("PRIV-07")
def test_the_timeline_is_in_it_newest_first(ada):
    timeline = export(ada)["timeline"]

    assert [one["message_id"] for one in timeline] == list(
        ada.activities.values_list("message_id", flat=True)
    )
    assert len(timeline) == 6
    assert timeline[0]["properties"] == {"sku": "A1"}
    assert timeline[-1]["identifier"] == {"anonymous_id": "shared"}
    assert timeline[-1]["context"] == {"page": {"url": "http://x/"}}


@pytest.mark.case("PRIV-07")
def test_nobody_elses_data_is_in_it(ada):
    document = export(ada)

    assert [one for one in (*OTHERS, "the gap") if one in json.dumps(document)] == []
    assert document["merges"][0]["secondary"] is document["merges"][0]["reason"] is None
    assert document["conflicts"]


def test_a_note_of_staff_is_in_it_unless_it_is_about_others_too(ada):
    mine = ConflictFactory(identifier=ada.anchor, detail="of one")
    ours = ConflictFactory(identifier=ada.anchor, other=IdentifierFactory(), detail="of two")
    Conflict.objects.filter(pk__in=[mine.pk, ours.pk]).settle(by="7", note="looked at")

    told = {one["detail"]: one for one in export(ada)["conflicts"]}

    assert (told["of one"]["note"], told["of two"]["note"]) == ("looked at", None)
    assert None not in {told["of one"]["settled_at"], told["of two"]["settled_at"]}


def test_a_live_merge_is_told_with_both_sides_and_its_reason():
    process([page(id="a"), page(id="b")])
    merge(person(id="a"), person(id="b"), reason="same human")

    document = export(person(id="b"))

    (operation,) = document["merges"]
    assert (operation["primary"], operation["secondary"]) == ("a", "b")
    assert operation["reason"] == "same human"
    assert [bool(one["merged_at"]) for one in document["identifiers"]] == [True, True]


def test_who_folded_into_another_gets_the_whole(ada):
    lead = type(ada).objects.get(anchor__value="a@x.org")
    assert lead.root == ada

    assert export(lead) == export(ada)


def test_the_document_is_written_as_it_is_read(ada):
    out = StringIO()

    written = sum(exporting.write_json(ada, out, "default"))

    assert json.loads(out.getvalue()) == export(ada)
    assert written == 6


def test_a_person_without_history_is_a_document_too(ada):
    Activity.objects.all().delete()
    out = StringIO()

    assert sum(exporting.write_json(ada, out, "default")) == 0
    assert json.loads(out.getvalue())["timeline"] == []


def test_the_timeline_as_csv(ada):
    out = StringIO()

    assert sum(exporting.write_csv(ada, out)) == 6

    head, newest, *_, oldest = csv.reader(StringIO(out.getvalue()))
    assert tuple(head) == exporting.COLUMNS
    assert newest[:3] == [hour(5).isoformat(), "track", "added_to_cart"]
    assert newest[5] == '{"sku": "A1"}'
    assert oldest[3] == "http://x/"


@pytest.mark.case("CSV-01")
@pytest.mark.parametrize("mark", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_no_cell_is_a_formula(mark):
    process([track(id="u", name=f"{mark}cmd|'/c calc'!A1")])
    out = StringIO()

    list(exporting.write_csv(person(id="u"), out))

    row = list(csv.reader(StringIO(out.getvalue(), newline="")))[1]
    assert row[2].startswith(f"'{mark}")
    assert not any(one.startswith(("=", "+", "-", "@")) for one in row)


def test_a_long_history_is_not_held_in_memory(ada, monkeypatch, django_assert_max_num_queries):
    monkeypatch.setattr(exporting, "CHUNK", 10)
    process([track(id="ada", at=10 + n / 100) for n in range(100)])
    history = exporting.timeline(ada)

    with django_assert_max_num_queries(2):
        assert next(history)["time"] > START.isoformat()
        assert sum(1 for _ in history) == 105
