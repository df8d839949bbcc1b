from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from identity_tracking import merge
from identity_tracking.admin.conflict_page import WHAT_TO_DO
from identity_tracking.admin.wording import WHAT_HAPPENED
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import breaker
from identity_tracking.models import Conflict
from identity_tracking.models.conflict import Code
from tests.factories import (
    ActivityFactory,
    ConflictFactory,
    IdentifierFactory,
    LeadFactory,
    PersonFactory,
)
from tests.saying import identify, person

pytestmark = pytest.mark.django_db


def test_conflicts_are_filtered_by_code(staff):
    ConflictFactory(code=Code.LINK_ELSEWHERE, identifier__value="the-wanted")
    ConflictFactory(code=Code.TOO_MANY_PEOPLE, identifier__value="unwanted")

    text = staff.text("conflict", code__exact=Code.LINK_ELSEWHERE.value)

    assert "the-wanted" in text
    assert "unwanted" not in text


def test_a_conflict_leads_to_its_person(staff):
    person = PersonFactory()
    lead = LeadFactory(email="ada@example.com")
    lead.root = person
    lead.save()
    conflict = ConflictFactory(identifier=lead.anchor)

    address = reverse("admin:identity_tracking_person_change", args=[person.pk])

    assert address in staff.read("conflict")
    assert address in staff.read("conflict", conflict)


def test_search_finds_conflicts_by_either_identifier(staff):
    email = LeadFactory(email="ada@example.com").anchor
    ConflictFactory(identifier=email)
    ConflictFactory(identifier=IdentifierFactory(value="by-the-other"), other=email)
    ConflictFactory(identifier__value="unrelated")

    text = staff.text("conflict", q="ada@example.com")

    assert "email ada@example.com was claimed" in text
    assert "by-the-other" in text
    assert "unrelated" not in text


def test_a_conflict_names_its_person(staff):
    person = PersonFactory(user_id="42", attributes={"name": "Ada Lovelace"})
    conflict = ConflictFactory(identifier=person.anchor)

    assert "a shared device. Ada Lovelace" in staff.text("conflict")
    assert "Person: Ada Lovelace" in staff.text("conflict", conflict)


def test_who_may_not_see_people_is_told_no_name(staff_with):
    person = PersonFactory(user_id="42", attributes={"name": "Ada Lovelace"})
    conflict = ConflictFactory(identifier=person.anchor)
    clerk = staff_with("view_conflict")

    assert "Ada" not in clerk.text("conflict")
    assert "Ada" not in clerk.text("conflict", conflict)


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (Code.IDENTIFIER_REFUSED, "id 42 came with an identifier that could not be used: email."),
        (Code.UNKNOWN_CIO_ID, "A message of id 42 named a cio_id that nobody has."),
        (Code.EMAIL_OF_TWO_IDS, "Two ids use id 42 : they stay two people."),
        (Code.EMAIL_NOT_COUNTED, "id 77 claimed id 42 , unproven: not counted"),
        (Code.TOO_MANY_PEOPLE, "id 42 was claimed for too many people: a shared device."),
        (Code.LINK_ELSEWHERE, "link was opened on the browser of id 42 : nobody was joined."),
        ("of-a-later-version", "of-a-later-version"),
    ],
)
def test_a_conflict_says_what_happened(staff, code, sentence):
    one, other = PersonFactory(user_id="42").anchor, PersonFactory(user_id="77").anchor
    conflict = ConflictFactory(code=code, identifier=one, other=other, detail="email")

    assert sentence in staff.text("conflict")
    assert sentence in staff.text("conflict", conflict)


def test_every_code_has_its_sentence():
    assert set(WHAT_HAPPENED) == set(WHAT_TO_DO) == set(Code)


def test_a_claim_of_somebody_who_is_not_named_is_told(staff):
    ConflictFactory(code=Code.EMAIL_NOT_COUNTED)

    assert "somebody claimed anonymous id" in staff.text("conflict")


def test_a_conflict_leads_to_its_message(staff):
    activity = ActivityFactory()
    conflict = ConflictFactory(activity=activity)

    address = reverse("admin:identity_tracking_activity_change", args=[activity.pk])

    assert address in staff.read("conflict", conflict)


def address(deed, conflict):
    return reverse(f"admin:identity_tracking_conflict_{deed}", args=[conflict.pk])


def settled(**fields):
    conflict = ConflictFactory(**fields)
    Conflict.objects.filter(pk=conflict.pk).settle(by="7", note="a colleague's test")
    conflict.refresh_from_db()
    return conflict


@pytest.fixture
def two():
    """What two ids with one email came to."""
    process([identify(id="ada", email="shared@example.com", anonymous_id="x", at=1)])
    process([identify(id="ben", email="shared@example.com", at=2)])
    return Conflict.objects.get(code=Code.EMAIL_OF_TWO_IDS)


def test_open_conflicts_are_listed_unless_others_are_asked_for(staff):
    settled(identifier__value="the-done")
    ConflictFactory(identifier__value="the-new")

    shown = {
        state: [one for one in ("the-done", "the-new") if one in staff.text("conflict", **query)]
        for state, query in {
            "default": {},
            "open": {"is": "open"},
            "settled": {"is": "settled"},
            "all": {"is": "all"},
            "nonsense": {"is": "nonsense"},
        }.items()
    }

    assert shown == {
        "default": ["the-new"],
        "open": ["the-new"],
        "settled": ["the-done"],
        "all": ["the-done", "the-new"],
        "nonsense": ["the-new"],
    }


def test_a_search_finds_settled_ones_too(staff):
    settled(identifier__value="the-done")

    assert "the-done" in staff.text("conflict", q="the-done")


def test_what_was_settled_last_is_listed_first(staff):
    for value in ("of-before", "of-today"):
        settled(identifier__value=value)

    text = staff.text("conflict", **{"is": "settled"})

    assert text.index("of-today") < text.index("of-before")


def test_a_conflict_is_settled_with_who_said_so_and_a_note(staff, admin_user):
    conflict = ConflictFactory()

    asked = staff.get(address("settle", conflict)).content.decode()
    response = staff.post(address("settle", conflict), {"reason": " looked at it "}, follow=True)

    conflict.refresh_from_db()
    assert "a shared device" in asked
    assert (conflict.settled_by, conflict.note) == (str(admin_user.pk), "looked at it")
    assert conflict.settled_at is not None
    assert "The conflict was settled." in response.content.decode()
    assert "by admin note looked at it" in staff.text("conflict", conflict)


def test_the_log_does_not_say_whom_a_conflict_was_about(staff, admin_user):
    staff.post(address("settle", ConflictFactory()))

    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, None)
    assert entry.object_repr == "The conflict was settled."


def test_a_settled_conflict_is_opened_again(staff):
    conflict = settled()

    assert address("reopen", conflict) in staff.read("conflict", conflict)
    asked = staff.get(address("reopen", conflict)).content.decode()
    staff.post(address("reopen", conflict))

    conflict.refresh_from_db()
    assert "listed among the open ones again" in asked
    assert (conflict.settled_at, conflict.settled_by, conflict.note) == (None, "", "")


def choose(staff, *conflicts):
    data = {"action": "settle_chosen", "_selected_action": [one.pk for one in conflicts]}
    page = reverse("admin:identity_tracking_conflict_changelist", query={"is": "all"})
    return staff.post(page, data, follow=True).content.decode()


def test_many_are_settled_at_once_and_who_settled_one_before_stays(staff, admin_user):
    before, *rows = [settled(), ConflictFactory(), ConflictFactory()]

    html = choose(staff, before, *rows)

    assert "2 conflicts were settled." in html
    by = Conflict.objects.values_list("settled_by", flat=True)
    assert sorted(by) == sorted(["7", str(admin_user.pk), str(admin_user.pk)])
    assert LogEntry.objects.get().change_message == "2 conflicts were settled."


@pytest.mark.parametrize("deed", ["settle", "reopen"])
def test_settling_needs_its_own_permission(staff_with, deed):
    conflict = settled() if deed == "reopen" else ConflictFactory()
    clerk = staff_with("view_conflict", "change_conflict")

    answers = [clerk.get(address(deed, conflict)), clerk.post(address(deed, conflict))]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert address(deed, conflict) not in clerk.read("conflict", conflict)
    assert "settle_chosen" not in clerk.read("conflict")
    assert not LogEntry.objects.exists()


def test_its_own_permission_is_enough(staff_with):
    conflict = ConflictFactory()
    clerk = staff_with("view_conflict", "settle_conflict")

    assert address("settle", conflict) in clerk.read("conflict", conflict)
    assert "settle_chosen" in clerk.read("conflict")
    assert clerk.post(address("settle", conflict)).status_code == 302


def test_a_conflict_that_does_not_exist_is_not_settled(staff):
    assert staff.get(address("settle", Conflict(pk=PersonFactory().pk))).status_code == 404


def test_told_again_a_conflict_stays_settled(two):
    Conflict.objects.filter(pk=two.pk).settle(by="7")

    process([identify(id="ben", email="shared@example.com", at=3)])

    assert Conflict.objects.get(pk=two.pk).settled_by == "7"


def test_a_conflict_that_was_over_and_is_told_again_is_open(two):
    Conflict.objects.filter(pk=two.pk).settle(by="7")
    claim = two.identifier.claims.latest("time")

    claim.void()
    assert not Conflict.objects.filter(pk=two.pk).exists()
    claim.restore()

    assert Conflict.objects.get(pk=two.pk).settled_at is None


def test_the_page_leads_to_both_people_their_merge_and_the_claims(staff, two):
    ada, ben = person(id="ada"), person(id="ben")

    html = staff.read("conflict", two)

    pages = [
        reverse("admin:identity_tracking_person_change", args=[ada.pk]),
        reverse("admin:identity_tracking_person_change", args=[ben.pk]),
        reverse("admin:identity_tracking_person_merge", args=[ben.pk, ada.pk]),
        *(
            reverse("admin:identity_tracking_claim_void", args=[claim.pk])
            for claim in two.identifier.claims.all()
        ),
    ]
    assert [page for page in pages if page not in html] == []
    assert "Merge them if they are one human" in html


def test_two_who_are_one_by_now_are_not_compared(staff, two):
    merge(person(id="ada"), person(id="ben"))

    assert "Compare with" not in staff.read("conflict", two)


def test_who_may_not_see_people_or_claims_sees_none_beside_a_conflict(staff_with, two):
    html = staff_with("view_conflict", "merge_person", "void_claim").read("conflict", two)

    assert "/person/" not in html
    assert "/claim/" not in html


@pytest.mark.django_db(transaction=True)
def test_where_the_database_is_busy_nothing_is_settled(staff):
    conflict = ConflictFactory()
    for _ in range(breaker.FAILURES):
        breaker.failed()
    try:
        html = choose(staff, conflict)
    finally:
        breaker.reset()

    assert "nothing was done. Try again." in html
    assert not Conflict.objects.settled().exists()
    assert not LogEntry.objects.exists()
