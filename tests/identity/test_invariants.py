"""What must hold of the package whatever is said to it, told without the reference model."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from django.db.models import Q
from hypothesis import given, settings
from hypothesis import strategies as st

from identity_tracking.identifiers import Kind
from identity_tracking.ingest.process import process
from identity_tracking.models import Activity, Claim, Identifier, MergeOperation, Ownership, Person
from identity_tracking.models.identifier import END
from tests.comparing import as_message, key_of, said_as, undone
from tests.reference import Said
from tests.stories import BROWSERS, CLAIMING, instants, sets

EXAMPLES = max(int(os.environ.get("GRAPHS", "200")) // 10, 5)

few = settings(max_examples=EXAMPLES, report_multiple_bugs=False)
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _small_kiosks(rules):
    """Kiosks come as early as among the stories that are compared."""


def told(said):
    process([as_message(one) for one in said])


def activities():
    return {
        said_as(one): one for one in Activity.objects.with_person().select_related("identifier")
    }


def people_of(activity):
    """The rows that are the person of an activity."""
    return set(activity.person.component) if activity.person else set()


def joined(pairs, start):
    """Everybody whom ``pairs`` connect with ``start``."""
    found, fresh = set(), {start}
    while fresh:
        found |= fresh
        fresh = {two for pair in pairs if found & set(pair) for two in pair} - found
    return found


def follows(**claims):
    """Each email and whose it is last."""
    rows = Ownership.objects.filter(identifier__kind=Kind.EMAIL, until=END)
    emails = {one for one in rows.values_list("identifier", "person") if one[0] != one[1]}
    if not claims:
        return emails
    proven = set(Claim.objects.filter(**claims).values_list("weak", flat=True))
    return {one for one in emails if one[0] in proven}


def ids_in(keys):
    return set(Identifier.objects.filter(pk__in=keys, kind=Kind.ID).values_list("pk", flat=True))


@few
@given(sets())
def test_a_message_with_an_id_stays_with_that_id(said):
    with undone():
        told(said)
        by_key = activities()

        for one in said:
            if one.head[0] == "id":
                assert key_of(one.head) in people_of(by_key[one.key])


@few
@given(sets())
def test_two_ids_are_one_person_only_by_live_proven_operations(said):
    with undone():
        told(said)
        merges = set(MergeOperation.objects.live().values_list("primary", "secondary"))
        pairs = merges | follows(firm=True)

        for person in Person.objects.standing():
            ids = ids_in(person.component)
            assert all(ids <= joined(pairs, one) for one in ids)


@few
@given(sets())
def test_a_weak_message_reaches_an_id_by_a_claim_or_by_one_email(said):
    with undone():
        told(said)

        for activity in activities().values():
            people = people_of(activity)
            reached = set(activity.identifier.claims.values_list("target", flat=True))
            hop = set(Claim.objects.filter(weak__in=reached).values_list("target", flat=True))
            assert not people or people & {activity.identifier_id, *reached, *hop}


@few
@given(sets(types=CLAIMING), sets(types=("page", "track")))
def test_a_page_or_an_event_changes_nobody_s_identity(said, done):
    def identity():
        people = {row.pk: row for row in Person.objects.all()}
        shown = {
            key: (row.root_id, row.user_id, row.email, row.attributes, row.claimed)
            for key, row in people.items()
        }
        owned = set(
            Ownership.objects.values_list("identifier", "since", "until", "person", "after")
        )
        return shown, owned

    with undone():
        told(said)
        shown, owned = identity()
        told(done)
        shown_after, owned_after = identity()

        assert {key: shown_after[key] for key in shown} == shown
        assert {row for row in owned_after if row[0] in {one[0] for one in owned}} == owned


@few
@given(
    sets(),
    st.tuples(st.sampled_from(BROWSERS), instants(), st.sampled_from("uvw")),
)
def test_one_claim_changes_only_the_stretches_next_to_it(said, claim):
    browser, time, id = claim
    late = Said(type="form", time=time, message_id="late", id=id, anonymous_id=browser)
    with undone():
        told(said)
        key = key_of(("anonymous_id", browser))
        at = as_message(late).timestamp
        claims = Claim.objects.filter(weak=key)
        # By its id it comes before the others of its moment.
        previous = claims.filter(time__lt=at).order_by("-time").first()
        following = claims.filter(time__gte=at).order_by("time").first()
        before = activities()
        told([late])
        after = activities()
        if not Ownership.objects.filter(identifier=key).exists():
            return  # a kiosk by now: all of it is nobody's

        changed = [after[one] for one in before if before[one].person != after[one].person]
        assert {one.identifier_id for one in changed} <= {key}
        assert previous is None or all(one.timestamp > previous.time for one in changed)
        assert following is None or all(one.timestamp < following.time for one in changed)


@few
@given(sets(), sets())
def test_nothing_unproven_takes_what_is_proven(proven, unproven):
    def known():
        firm = Claim.objects.filter(firm=True, weak__kind=Kind.EMAIL).values("weak")
        rows = Ownership.objects.filter(Q(identifier__known=True) | Q(identifier__in=firm))
        return set(rows.values_list("identifier", "since", "until", "person"))

    def attributes():
        return {
            (person.pk, name, person.attributes[name])
            for person in Person.objects.standing()
            for name, origin in person.provenance.items()
            if origin["trusted"]
        }

    sure = [replace(one, trusted=True, also=()) for one in proven if one.head[0] != "anonymous_id"]
    doubtful = [replace(one, trusted=False, email_trusted=False) for one in unproven]
    with undone():
        told(sure)
        emails, values = known(), attributes()
        told(doubtful)

        assert known() == emails
        assert attributes() >= values
