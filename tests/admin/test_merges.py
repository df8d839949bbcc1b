from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from identity_tracking import merge
from identity_tracking.ingest.process import process
from identity_tracking.models import MergeOperation
from tests.saying import identify, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def operation(admin_user):
    process([identify(id=id, properties={"name": f"Name of {id}"}) for id in "AB"])
    return merge(person(id="A"), person(id="B"), by=admin_user, reason="one human")


def undo_page(operation):
    return reverse("admin:identity_tracking_mergeoperation_undo", args=[operation.pk])


def test_the_list_says_who_joined_whom_by_whom_and_why(staff, operation):
    assert "one human A B admin" in staff.text("mergeoperation")


def test_the_list_shows_live_or_undone_merges(staff, operation):
    operation.undo()

    assert "one human" not in staff.text("mergeoperation", **{"is": "live"})
    assert "one human" in staff.text("mergeoperation", **{"is": "undone"})
    assert "one human" in staff.text("mergeoperation", **{"is": "?"})


@pytest.mark.parametrize(("term", "found"), [("A", 1), ("B", 1), ("C", 0), (" ", 1)])
def test_merges_are_found_by_either_person(staff, operation, term, found):
    assert staff.text("mergeoperation", q=term).count("one human") == found


def test_the_page_of_a_merge_leads_to_its_undoing(staff, operation):
    html = staff.read("mergeoperation", operation)

    assert undo_page(operation) in html
    assert "one human" in html


def test_who_there_will_be_is_shown_before_it_is_undone(staff, operation):
    html = staff.get(undo_page(operation)).content.decode()

    assert "Name of A" in html
    assert "Name of B" in html
    operation.refresh_from_db()
    assert operation.undone_at is None


def test_a_merge_is_undone_by_whoever_said_so(staff, operation, admin_user):
    response = staff.post(undo_page(operation), follow=True)

    operation.refresh_from_db()
    assert operation.undone_by == str(admin_user.pk)
    assert person(id="B") != person(id="A")
    assert "The merge was undone." in response.content.decode()
    assert LogEntry.objects.get().object_id == str(operation.pk)


def test_an_undone_merge_offers_no_undoing(staff, operation):
    operation.undo()

    assert undo_page(operation) not in staff.read("mergeoperation", operation)


def test_without_permission_nothing_is_undone(staff_with, operation):
    clerk = staff_with("view_mergeoperation", "view_person")

    answers = [clerk.get(undo_page(operation)), clerk.post(undo_page(operation))]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert undo_page(operation) not in clerk.read("mergeoperation", operation)
    assert undo_page(operation) not in clerk.read("person", operation.primary)
    assert MergeOperation.objects.live().exists()


def test_the_permission_to_undo_is_enough(staff_with, operation):
    clerk = staff_with("view_person", "undo_mergeoperation")

    assert undo_page(operation) in clerk.read("person", operation.primary)
    assert clerk.post(undo_page(operation)).status_code == 302


def test_whoever_may_not_see_people_reads_no_names(staff_with, operation):
    clerk = staff_with("view_mergeoperation", "undo_mergeoperation")

    texts = [
        clerk.read("mergeoperation"),
        clerk.read("mergeoperation", operation),
        clerk.get(undo_page(operation)).content.decode(),
    ]

    page = reverse("admin:identity_tracking_person_change", args=[operation.primary_id])
    assert not [text for text in texts if "Name of" in text or page in text]


def test_a_merge_that_does_not_exist_is_not_undone(staff):
    assert staff.get(undo_page(MergeOperation())).status_code == 404


def test_a_merge_by_a_message_leads_to_it(staff):
    process([identify(id="A")])
    said = identify(id="B", cio_id=person(id="A").cio_id, trusted=True, at=1)
    process([said])

    address = reverse("admin:identity_tracking_activity_change", args=[said.key])

    assert address in staff.read("mergeoperation", MergeOperation.objects.get())
