"""R8: one wrong claim is voided, and restored; both exactly."""

from __future__ import annotations

import pytest

from identity_tracking.ingest.process import process
from identity_tracking.models import Activity, Claim, Conflict
from identity_tracking.models.conflict import Code
from tests.saying import called, hour, identify, owners, page, person

pytestmark = pytest.mark.django_db

E = "e@x.org"


def claim_of(message):
    return Claim.objects.get(activity=message.key)


def test_a_voided_claim_gives_nothing():
    seen, wrong = page(anonymous_id="X", at=1), identify(id="B", anonymous_id="X", at=3)
    process([seen, wrong])

    claim_of(wrong).void(by="support", reason="a typo")

    assert owners(seen, wrong) == [None, "B"]
    claim_of(wrong).restore()
    assert owners(seen, wrong) == ["B", "B"]


def test_who_voided_it_and_why_is_kept_until_it_is_restored():
    wrong = identify(id="B", anonymous_id="X")
    process([wrong])
    claim = claim_of(wrong)

    claim.void(by="support", reason="a typo")
    kept = claim_of(wrong)
    claim.restore()

    assert (kept.voided_by, kept.voided_for) == ("support", "a typo")
    assert claim.voided_at is claim_of(wrong).voided_at is None


def test_voiding_twice_keeps_who_was_first():
    wrong = identify(id="B", anonymous_id="X")
    process([wrong])

    claim_of(wrong).void(by="first")
    claim_of(wrong).void(by="second")

    assert claim_of(wrong).voided_by == "first"


def test_the_other_claims_on_a_browser_count_on():
    seen = [page(anonymous_id="X", at=at) for at in (2, 4)]
    wrong = identify(id="B", anonymous_id="X", at=3)
    process([identify(id="A", anonymous_id="X", at=1), wrong, *seen])
    assert owners(*seen) == [None, "B"]

    claim_of(wrong).void()

    assert owners(*seen) == ["A", "A"]


def test_an_email_goes_back_with_whose_browsers_claimed_it():
    seen, wrong = page(anonymous_id="X", at=1), identify(id="u", email=E, at=5, trusted=True)
    process([identify(email=E, anonymous_id="X", at=2), seen, wrong])
    assert owners(seen) == ["u"]

    claim_of(wrong).void()

    assert owners(seen) == [E]
    assert called(person(email=E)) == E
    assert person(id="u").email is None
    assert Activity.objects.of(person(id="u")).count() == 1


def test_without_the_firm_claim_the_soft_ones_count_again():
    firm = identify(id="u", email=E, at=5, trusted=True)
    process([identify(id="v", email=E, at=2), firm])
    assert [conflict.code for conflict in Conflict.objects.all()] == [Code.EMAIL_NOT_COUNTED]

    claim_of(firm).void()

    assert called(person(email=E)) == "v"
    assert not Conflict.objects.exists()
    claim_of(firm).restore()
    assert called(person(email=E)) == "u"
    assert [conflict.code for conflict in Conflict.objects.all()] == [Code.EMAIL_NOT_COUNTED]


def test_a_kiosk_is_none_without_the_claim_too_many(settings):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "PEOPLE_PER_BROWSER": 2}
    claims = [identify(id=id, anonymous_id="X", at=at) for at, id in enumerate("ABC")]
    process(claims)
    assert person_of_browser() is None

    claim_of(claims[2]).void()

    assert person_of_browser() == "B"
    assert not Conflict.objects.exists()


def person_of_browser():
    seen = page(anonymous_id="X", at=9)
    process([seen])
    return owners(seen)[0]


def test_a_claim_between_two_people_voided_opens_no_gap():
    seen = page(anonymous_id="X", at=3)
    between = identify(id="B", anonymous_id="X", at=2)
    process([identify(id="A", anonymous_id="X", at=at) for at in (1, 4)] + [between, seen])
    assert owners(seen) == [None]

    claim_of(between).void()

    assert owners(seen) == ["A"]
    assert person(id="A").last_seen == hour(4)
