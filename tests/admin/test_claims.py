from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from identity_tracking.ingest.process import process
from identity_tracking.models import Claim, Person
from tests.saying import identify, page, person

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim():
    """What a colleague said on the browser of Ada's."""
    process([identify(id="colleague", anonymous_id="x", at=1), page(anonymous_id="x", at=2)])
    process([identify(id="ada", anonymous_id="x", at=3)])
    return Claim.objects.get(target__value="colleague")


def address(deed, claim):
    return reverse(f"admin:identity_tracking_claim_{deed}", args=[claim.pk])


def test_why_an_identifier_is_theirs_leads_to_voiding(staff, claim):
    assert address("void", claim) in staff.read("person", person(id="colleague"))


def test_whose_it_will_be_is_shown_before_a_claim_is_voided(staff, claim):
    html = staff.get(address("void", claim)).content.decode()

    now, then = html.split("Whose it will be")
    assert "colleague" in now
    assert "nobody: between two people" in now
    assert "ada" in then
    assert "colleague" not in then
    claim.refresh_from_db()
    assert claim.voided_at is None


def test_a_claim_is_voided_with_who_said_so_and_why(staff, claim, admin_user):
    response = staff.post(address("void", claim), {"reason": "a test"}, follow=True)

    claim.refresh_from_db()
    assert (claim.voided_by, claim.voided_for) == (str(admin_user.pk), "a test")
    assert Person.objects.find(anonymous_id="x") == person(id="ada")
    assert "The claim was voided." in response.content.decode()
    assert LogEntry.objects.get().object_id == str(claim.pk)


def test_a_voided_claim_is_called_so_where_it_can_be_restored(staff, claim):
    claim.void(reason="a test")

    html = staff.read("identifier", claim.weak)

    assert ">voided</span>" in html
    assert address("restore", claim) in html
    assert address("void", claim) not in html


def test_a_claim_is_restored_after_asking(staff, claim):
    claim.void()

    asked = staff.get(address("restore", claim)).content.decode()
    staff.post(address("restore", claim))

    claim.refresh_from_db()
    assert "nobody: between two people" in asked.split("Whose it will be")[1]
    assert claim.voided_at is None


@pytest.mark.parametrize("deed", ["void", "restore"])
def test_each_needs_its_own_permission(staff_with, claim, deed):
    other = {"void": "restore", "restore": "void"}[deed]
    clerk = staff_with("view_identifier", "view_person", f"{other}_claim")
    if deed == "restore":
        claim.void()

    answers = [clerk.get(address(deed, claim)), clerk.post(address(deed, claim))]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert address(deed, claim) not in clerk.read("identifier", claim.weak)
    assert LogEntry.objects.count() == 0


@pytest.mark.parametrize("deed", ["void", "restore"])
def test_its_own_permission_is_enough(staff_with, claim, deed):
    clerk = staff_with("view_identifier", f"{deed}_claim")
    if deed == "restore":
        claim.void()

    assert address(deed, claim) in clerk.read("identifier", claim.weak)
    assert "Whose it will be" not in clerk.get(address(deed, claim)).content.decode()
    assert clerk.post(address(deed, claim)).status_code == 302


@pytest.mark.parametrize("deed", ["void", "restore"])
def test_a_claim_that_does_not_exist_is_not_there(staff, deed):
    assert staff.get(address(deed, Claim(pk=7))).status_code == 404
