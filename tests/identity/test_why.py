"""Why an identifier is a person's: which message said so, when, and whether it was proven."""

from __future__ import annotations

import pytest

from identity_tracking import merge, why
from identity_tracking.ingest.process import process
from identity_tracking.models import Claim
from tests.saying import alias, hour, identify, page, person

pytestmark = pytest.mark.django_db

E = "e@x.org"


def reasons(**who):
    """For each identifier of somebody the keys of the messages that made it theirs."""
    return {
        one.identifier.value: [claim.activity_id for claim in one.claims]
        for one in why(person(**who))
    }


def test_an_id_is_what_the_person_is_known_by():
    process([page(id="u")])

    assert reasons(id="u") == {"u": []}


def test_a_browser_is_theirs_by_the_message_that_identified_it():
    said = identify(id="u", anonymous_id="X", at=2, trusted=True)
    process([page(anonymous_id="X", at=1), said])

    _, browser = why(person(id="u"))

    (claim,) = browser.claims
    assert claim.activity_id == said.key
    assert claim.activity.timestamp == hour(2)
    assert claim.trusted
    assert browser.merges == ()


def test_of_several_messages_it_is_the_first():
    first, later = (identify(id="u", anonymous_id="X", at=at) for at in (2, 3))
    process([later, first])

    assert reasons(id="u")["X"] == [first.key]


def test_a_browser_that_identified_by_email_names_also_what_gave_the_email():
    browser = identify(email=E, anonymous_id="X", at=2)
    email = identify(id="u", email=E, at=5)
    process([browser, email])

    assert reasons(id="u") == {"u": [], E: [email.key], "X": [browser.key, email.key]}


def test_an_unproven_claim_that_does_not_count_is_no_reason():
    soft, firm = identify(id="u", email=E, at=1), identify(id="u", email=E, at=5, trusted=True)
    process([soft, firm])

    assert reasons(id="u")[E] == [firm.key]


def test_a_voided_claim_is_no_reason():
    wrong, right = (identify(id="u", anonymous_id="X", at=at) for at in (1, 2))
    process([wrong, right])

    Claim.objects.get(activity=wrong.key).void()

    assert reasons(id="u")["X"] == [right.key]


def test_on_a_shared_browser_each_stretch_has_its_own():
    messages = [identify(id=id, anonymous_id="X", at=at) for id, at in (("A", 1), ("B", 3))]
    process([*messages, alias(id="A", previous="X", at=5)])

    stretches = why(person(id="A"))[1:]

    assert [one.claims[0].time for one in stretches] == [hour(1), hour(5)]


def test_what_a_merge_brought_names_the_merge():
    process([page(id="A"), identify(id="B", anonymous_id="X", at=1)])
    operation = merge(person(id="A"), person(id="B"))

    by_value = {one.identifier.value: one.merges for one in why(person(id="A"))}

    assert by_value == {"A": (operation,), "B": (operation,), "X": (operation,)}


def test_asking_takes_few_queries(django_assert_max_num_queries):
    process([identify(email=f"{n}@x.org", anonymous_id=f"X{n}", at=1) for n in range(9)])
    process([identify(id="u", email=f"{n}@x.org", at=2) for n in range(9)])
    somebody = person(id="u")

    with django_assert_max_num_queries(8):
        assert len(why(somebody)) == 19
