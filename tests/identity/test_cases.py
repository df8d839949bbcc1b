"""The table of cases in docs/identity.md, a test each, however the messages arrive."""

from __future__ import annotations

from typing import Any

import pytest

from identity_tracking.ingest.process import process
from identity_tracking.models import Activity, Conflict, Identifier, Person
from identity_tracking.models.conflict import Code
from tests.saying import alias, called, identify, owner, owners, page, person, relate, track

pytestmark = pytest.mark.django_db

E = "e@x.org"


def conflicts():
    return sorted(set(Conflict.objects.values_list("code", flat=True)))


# Browsers


def test_all_that_a_visitor_did_becomes_the_persons(arrive):
    before, after = page(anonymous_id="X", at=1), track(anonymous_id="X", at=3)

    arrive(before, identify(id="A", anonymous_id="X", at=2), after)

    assert owners(before, after) == ["A", "A"]


def test_a_visitor_whom_nobody_claims_is_nobodys(arrive):
    seen = page(anonymous_id="X", at=1)

    arrive(seen, identify(id="A", anonymous_id="Y", at=2))

    assert owner(seen) is None
    assert not Person.objects.filter(anchor__kind=1).exists()


def test_two_people_without_a_reset_share_a_browser_but_no_history(arrive):
    own_a, own_b = page(id="A", anonymous_id="X", at=4), page(id="B", anonymous_id="X", at=6)
    before, between, after = (page(anonymous_id="X", at=at) for at in (1, 5, 9))

    arrive(
        before,
        identify(id="A", anonymous_id="X", at=2),
        own_a,
        between,
        own_b,
        identify(id="B", anonymous_id="X", at=8),
        after,
    )

    assert owners(own_a, own_b) == ["A", "B"]
    assert owners(before, between, after) == ["A", None, "B"]


def test_an_unproven_identify_then_a_login_leave_the_middle_nobodys(arrive):
    first, third = page(anonymous_id="X", at=1), page(anonymous_id="X", at=3)

    arrive(
        first,
        identify(id="A", anonymous_id="X", at=2),
        third,
        identify(id="B", anonymous_id="X", at=10, trusted=True),
    )

    assert owners(first, third) == ["A", None]


def test_a_late_claim_gives_back_what_was_nobodys():
    between = page(anonymous_id="X", at=5)
    process([identify(id="A", anonymous_id="X", at=1), between])
    process([identify(id="B", anonymous_id="X", at=10)])
    assert owner(between) is None

    process([identify(id="A", anonymous_id="X", at=7)])

    assert owner(between) == "A"


def test_who_returns_to_a_shared_browser_gets_what_follows(arrive):
    gap, after = page(anonymous_id="X", at=12), page(anonymous_id="X", at=16)

    arrive(
        identify(id="A", anonymous_id="X", at=1),
        identify(id="B", anonymous_id="X", at=10),
        gap,
        identify(id="A", anonymous_id="X", at=15),
        after,
    )

    assert owners(gap, after) == [None, "A"]


def test_two_identifies_on_one_page_move_nothing_of_the_first(arrive):
    before = page(anonymous_id="X", at=1)
    own = page(id="A", anonymous_id="X", at=2)
    last = page(anonymous_id="X", at=3)

    arrive(
        before,
        own,
        identify(id="A", anonymous_id="X", at=2, message_id="1"),
        identify(id="B", anonymous_id="X", at=2, message_id="2"),
        last,
    )

    assert owners(before, own, last) == ["A", "A", "B"]


def test_a_message_at_the_instant_of_a_claim_stands_after_it(arrive):
    same = page(anonymous_id="X", at=5)

    arrive(
        identify(id="A", anonymous_id="X", at=5),
        same,
        identify(id="B", anonymous_id="X", at=10),
    )

    assert owner(same) == "A"


def test_the_history_of_a_second_device_joins(arrive):
    first, second = page(anonymous_id="X", at=1), page(anonymous_id="Y", at=2)

    arrive(
        first,
        second,
        identify(id="A", anonymous_id="X", at=3),
        identify(id="A", anonymous_id="Y", at=4),
    )

    assert owners(first, second) == ["A", "A"]
    assert {one.message_id for one in person(id="A").activities} >= {
        first.message_id,
        second.message_id,
    }


def test_an_alias_claims_its_previous_browser_and_nothing_else(arrive):
    previous, current = page(anonymous_id="X", at=1), page(anonymous_id="Y", at=1)
    lead = page(email=E, at=1)

    arrive(previous, current, lead, alias(id="u", email=E, anonymous_id="Y", previous="X", at=2))

    assert owners(previous, current, lead) == ["u", None, E]


def test_pages_and_events_claim_nothing(arrive):
    seen, lead = page(anonymous_id="X", at=1), page(email=E, at=1)

    arrive(seen, lead, page(id="u", email=E, anonymous_id="X", at=2), track(id="u", email=E, at=3))

    assert owners(seen, lead) == [None, E]


def test_a_message_with_an_id_stays_with_that_id(arrive):
    own = page(id="B", email=E, anonymous_id="X", at=3)

    arrive(
        identify(id="A", email=E, anonymous_id="X", at=1, trusted=True),
        own,
        identify(id="A", email=E, anonymous_id="X", at=5, trusted=True),
    )

    assert owner(own) == "B"


def test_a_browser_of_too_many_people_attributes_nothing(arrive):
    seen = page(anonymous_id="X", at=1)
    people = [identify(id=f"u{number}", anonymous_id="X", at=number) for number in range(2, 8)]

    arrive(seen, *people)

    assert owner(seen) is None
    assert Code.TOO_MANY_PEOPLE in conflicts()


def test_a_browser_of_five_people_is_no_kiosk(arrive):
    seen = page(anonymous_id="X", at=1)

    arrive(
        seen, *(identify(id=f"u{number}", anonymous_id="X", at=number) for number in range(2, 7))
    )

    assert owner(seen) == "u2"


def test_who_comes_through_an_email_counts_as_one_of_too_many(arrive, settings):
    settings.IDENTITY_TRACKING = {"PEOPLE_PER_BROWSER": 1}
    seen = page(anonymous_id="X", at=1)

    arrive(
        seen,
        identify(email=E, anonymous_id="X", at=2),
        identify(email=E, anonymous_id="X", at=6),
        identify(id="u", email=E, at=2, trusted=True),
        identify(id="v", email=E, at=5, trusted=True),
    )

    assert owner(seen) is None
    assert Code.TOO_MANY_PEOPLE in conflicts()


# Emails


def test_a_lead_folds_into_the_id_with_its_history(arrive):
    lead = page(email=E, at=1)

    arrive(identify(email=E, at=0), lead, identify(id="u", email=E, at=2))

    assert owner(lead) == "u"
    assert [called(one) for one in Person.objects.standing()] == ["u"]
    assert person(email=E).user_id == "u"


def test_a_browser_of_a_lead_follows_it_into_the_id(arrive):
    seen = page(anonymous_id="X", at=1)

    arrive(seen, identify(email=E, anonymous_id="X", at=2), identify(id="u", email=E, at=3))

    assert owner(seen) == "u"


def test_an_unproven_browser_folds_no_lead_that_the_site_knows(arrive):
    lead, seen = page(email=E, at=2), page(anonymous_id="X", at=4)

    arrive(
        identify(email=E, at=1, trusted=True),
        lead,
        identify(email=E, anonymous_id="X", at=3),
        identify(id="u", email=E, at=5),
        seen,
    )

    assert owners(lead, seen) == [E, E]
    assert Code.EMAIL_NOT_COUNTED in conflicts()


def test_an_id_that_proves_the_email_folds_a_lead_that_the_site_knows(arrive):
    lead = page(email=E, at=2)

    arrive(
        identify(email=E, at=1, trusted=True), lead, identify(id="u", email=E, at=3, trusted=True)
    )

    assert owner(lead) == "u"
    assert conflicts() == []


def test_a_session_proves_its_id_but_not_the_email_beside_it(arrive):
    lead = page(email=E, at=2)
    session: dict[str, Any] = {"trusted": True, "email_trusted": False}

    arrive(identify(email=E, at=1, trusted=True), lead, identify(id="u", email=E, at=3, **session))

    assert owner(lead) == E
    assert conflicts() == [Code.EMAIL_NOT_COUNTED]


def test_a_proof_that_comes_later_undoes_an_unproven_claim(arrive):
    lead = page(email=E, at=1)

    arrive(
        lead,
        identify(id="stranger", email=E, at=2),
        identify(id="u", email=E, at=9, trusted=True),
    )

    assert owner(lead) == "u"
    assert person(id="stranger").email is None
    assert conflicts() == [Code.EMAIL_NOT_COUNTED]


def test_a_trusted_identify_of_the_email_alone_undoes_an_unproven_claim(arrive):
    lead, seen = page(email=E, at=1), page(anonymous_id="X", at=1)

    arrive(
        lead,
        seen,
        identify(email=E, anonymous_id="X", at=2),
        identify(id="stranger", email=E, at=2),
        identify(email=E, at=9, trusted=True),
    )

    assert owners(lead, seen) == [E, E]
    assert person(email=E).is_lead


def test_a_trusted_event_of_the_email_alone_proves_nothing(arrive):
    lead = track(email=E, at=1, trusted=True)

    arrive(lead, identify(id="u", email=E, at=2))

    assert owner(lead) == "u"


def test_after_an_id_told_its_email_the_email_alone_is_the_ids(arrive):
    later = page(email=E, at=3)

    arrive(identify(id="u", at=1), identify(id="u", email=E, at=2), later)

    assert owner(later) == "u"


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
def test_two_ids_with_one_email_are_never_one_person(arrive, trusted):
    third, seventh = page(email=E, at=3), page(email=E, at=7)

    arrive(
        identify(id="u", email=E, at=1, trusted=trusted),
        third,
        identify(id="v", email=E, at=5, trusted=trusted),
        seventh,
    )

    assert owners(third, seventh) == ["u", "v"]
    assert conflicts() == [Code.EMAIL_OF_TWO_IDS]


def test_a_browser_claimed_for_an_email_of_two_ids_is_whose_it_was_then(arrive):
    early, late = page(anonymous_id="X", at=2), page(anonymous_id="Y", at=6)

    arrive(
        identify(id="u", email=E, at=1),
        identify(id="v", email=E, at=5),
        early,
        identify(email=E, anonymous_id="X", at=3),
        late,
        identify(email=E, anonymous_id="Y", at=7),
    )

    assert owners(early, late) == ["u", "v"]


def test_attributes_on_an_email_of_two_ids_are_each_ones_own(arrive):
    def says(at, **who):
        return identify(at=at, properties={"plan": at}, **who)

    arrive(says(1, id="u", email=E), says(3, email=E), says(5, id="v", email=E), says(7, email=E))

    assert person(id="u").attributes == {"plan": 3}
    assert person(id="v").attributes == {"plan": 7}


def test_relationships_on_an_email_of_two_ids_are_each_ones_own(arrive):
    arrive(
        identify(id="u", email=E, at=1),
        relate("acme", email=E, at=3),
        identify(id="v", email=E, at=5),
        relate("globex", email=E, at=7),
    )

    assert [row.object.object_id for row in person(id="u").relationships] == ["acme"]
    assert [row.object.object_id for row in person(id="v").relationships] == ["globex"]


def test_a_changed_email_is_shown_and_the_old_one_resolves_still(arrive):
    old, new = page(email="old@x.org", at=3), page(email="new@x.org", at=1)

    arrive(
        identify(id="u", email="old@x.org", at=0, trusted=True),
        identify(id="u", email="new@x.org", at=2, trusted=True),
        old,
        new,
    )

    assert owners(old, new) == ["u", "u"]
    assert person(id="u").email == "new@x.org"


def test_an_old_email_claimed_by_another_moves_only_what_follows(arrive):
    before, after = page(email="old@x.org", at=3), page(email="old@x.org", at=5)

    arrive(
        identify(id="u", email="old@x.org", at=0, trusted=True),
        identify(id="u", email="new@x.org", at=2, trusted=True),
        before,
        identify(id="v", email="old@x.org", at=4, trusted=True),
        after,
    )

    assert owners(before, after) == ["u", "v"]


def test_an_unproven_email_only_sets_what_is_unset(arrive):
    arrive(
        identify(id="u", email="first@x.org", at=1),
        identify(id="u", email="second@x.org", at=2),
        identify(id="v", email="typed@x.org", at=1),
        identify(id="v", email="proven@x.org", at=0, trusted=True),
    )

    assert person(id="u").email == "first@x.org"
    assert person(id="v").email == "proven@x.org"


@pytest.mark.parametrize("trusted", [True, False], ids=["known", "unknown"])
def test_a_sign_up_with_a_victims_address_is_never_more_than_soft(arrive, trusted):
    victim = page(email=E, at=2)

    arrive(
        identify(email=E, at=1, trusted=trusted),
        victim,
        identify(id="thief", email=E, at=3),
        identify(id="victim", email=E, at=9, trusted=True),
    )

    assert owner(victim) == "victim"
    assert person(email=E).user_id == "victim"


def test_two_known_people_stay_two(arrive):
    arrive(
        identify(id="u", email="u@x.org", anonymous_id="X", at=1, trusted=True),
        identify(id="v", email="v@x.org", anonymous_id="X", at=2, trusted=True),
        identify(id="u", email="v@x.org", anonymous_id="X", at=3),
    )

    assert person(id="u") != person(id="v")
    assert person(email="v@x.org").user_id == "v"


# cio_ids


def test_a_cio_id_names_its_person(arrive):
    process([identify(id="u", at=1)])
    cio_id = person(id="u").cio_id
    seen = page(cio_id=cio_id, at=2)

    arrive(seen, identify(cio_id=f"cio_{cio_id}", properties={"plan": "pro"}, at=3))

    assert owner(seen) == "u"
    assert person(cio_id=cio_id).attributes == {"plan": "pro"}


def test_the_cio_id_of_a_lead_follows_it_into_the_id(arrive):
    process([identify(email=E, at=1)])
    cio_id = person(email=E).cio_id

    arrive(identify(id="u", email=E, at=2))

    assert person(cio_id=cio_id).user_id == "u"


def test_an_id_for_the_cio_id_of_a_lead_is_accepted(arrive):
    process([identify(email=E, at=1)])
    cio_id = person(email=E).cio_id

    arrive(identify(cio_id=cio_id, id="u", at=2))

    assert person(cio_id=cio_id).user_id == "u"


# Nothing comes of nothing


def test_a_message_with_only_an_unknown_cio_id_makes_nobody():
    process([identify(cio_id="cio_unknown", at=1)])

    assert not Person.objects.exists()
    assert not Activity.objects.exists()


def test_a_browser_alone_makes_an_identifier_and_no_person(arrive):
    arrive(identify(anonymous_id="X", properties={"plan": "pro"}, at=1), page(anonymous_id="X"))

    assert Identifier.objects.count() == 1
    assert not Person.objects.exists()


def test_what_a_visitor_said_of_itself_becomes_the_persons(arrive):
    arrive(
        identify(anonymous_id="X", properties={"plan": "pro"}, at=1),
        relate("acme", anonymous_id="X", role="admin", at=2),
        identify(id="u", anonymous_id="X", at=3),
    )

    assert person(id="u").attributes == {"plan": "pro"}
    assert [row.attributes for row in person(id="u").relationships] == [{"role": "admin"}]


# Look-back


def test_only_so_much_of_a_browsers_past_is_claimed(settings):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "LOOK_BACK": 7_200}
    seen = [page(anonymous_id="X", at=at) for at in (0, 2.5, 3, 9)]

    process([*seen, identify(id="A", anonymous_id="X", at=5)])

    assert owners(*seen) == [None, None, "A", "A"]


def test_a_late_first_identify_claims_what_lies_before_it(settings):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "LOOK_BACK": 7_200}
    seen = [page(anonymous_id="X", at=at) for at in (0, 1, 3)]
    process([*seen, identify(id="A", anonymous_id="X", at=5)])

    process([identify(id="A", anonymous_id="X", at=3)])

    assert owners(*seen) == [None, "A", "A"]


def test_every_browser_that_identified_by_an_email_follows_it(arrive):
    browsers = ["X", "Y", "Z"]
    views = [page(anonymous_id=browser, at=3) for browser in browsers]
    claims = [identify(email=E, anonymous_id=browser, at=4) for browser in browsers]
    moves = [identify(id=id, email=E, trusted=True, at=at) for id, at in (("A", 1), ("B", 6))]

    arrive(*views, *moves, *claims, identify(id="C", email=E, trusted=True, at=2))

    assert owners(*views) == ["C"] * 3
