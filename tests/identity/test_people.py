from __future__ import annotations

import pytest

from identity_tracking.ingest.process import process
from identity_tracking.models import ObjectRelationship
from tests.saying import hour, identify, page, person, relate

pytestmark = pytest.mark.django_db


def test_who_absorbs_a_lead_was_first_seen_when_the_lead_was():
    process([page(email="e@x.org", at=1)])
    process([identify(id="u", email="e@x.org", at=5)])

    assert person(id="u").first_seen == hour(1)


def test_who_absorbs_a_lead_was_last_seen_when_the_lead_was():
    process([page(email="e@x.org", at=9)])
    process([identify(id="u", email="e@x.org", at=5)])

    assert person(id="u").last_seen == hour(9)


def test_somebody_new_was_last_seen_at_the_last_message_of_the_batch():
    process([identify(id="u", at=1), page(id="u", at=9), page(id="u", at=5)])

    assert (person(id="u").first_seen, person(id="u").last_seen) == (hour(1), hour(9))


def test_a_leads_relationships_move_to_who_absorbs_it():
    process([relate("acme", email="e@x.org", at=1)])
    process([identify(id="u", email="e@x.org", at=2)])

    assert [row.identifier.value for row in ObjectRelationship.objects.all()] == ["u"]


def test_what_relates_to_nobody_on_a_shared_browser_stays_the_visitors():
    process([identify(id="A", anonymous_id="X", at=1), identify(id="B", anonymous_id="X", at=5)])
    process([relate("acme", anonymous_id="X", at=3)])

    assert [row.identifier.value for row in ObjectRelationship.objects.all()] == ["X"]


def test_who_loses_a_browser_was_last_seen_without_it():
    process([identify(id="A", anonymous_id="X", at=1), page(anonymous_id="X", at=9)])
    assert person(id="A").last_seen == hour(9)

    process([identify(id="B", anonymous_id="X", at=5)])

    assert (person(id="A").last_seen, person(id="B").last_seen) == (hour(1), hour(9))


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        (hour(1).timestamp(), hour(1)),
        (hour(1).isoformat(), hour(1)),
        ("noon", None),
        ([], None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
    ],
    ids=str,
)
def test_created_at_is_what_the_site_sent_if_it_is_a_time(sent, read):
    process([identify(id="u", properties={"created_at": sent, "plan": "pro"})])

    assert person(id="u").created_at == read
    assert person(id="u").attributes == {"plan": "pro"}


def test_created_at_is_null_until_it_is_sent_and_when_it_is_removed():
    process([identify(id="u", at=1)])
    assert person(id="u").created_at is None

    process([identify(id="u", at=2, properties={"created_at": 1_700_000_000})])
    process([identify(id="u", at=3, properties={"created_at": None})])

    assert person(id="u").created_at is None


def test_attributes_of_a_shared_browser_are_whose_it_was_then(arrive):
    arrive(
        identify(id="A", anonymous_id="X", at=1),
        identify(anonymous_id="X", at=1, properties={"city": "Bern"}),
        identify(anonymous_id="X", at=3, properties={"city": "Rome"}),
        identify(id="B", anonymous_id="X", at=5),
        identify(anonymous_id="X", at=7, properties={"city": "Oslo"}),
    )

    assert person(id="A").attributes == {"city": "Bern"}
    assert person(id="B").attributes == {"city": "Oslo"}


def test_a_visitors_relationships_are_its_own_until_it_is_claimed():
    process([relate("acme", anonymous_id="X", role="admin", at=1)])
    assert ObjectRelationship.objects.get().identifier.value == "X"

    process([identify(id="u", anonymous_id="X", at=2)])

    held = ObjectRelationship.objects.get()
    assert (held.identifier.value, held.attributes) == ("u", {"role": "admin"})


def test_a_relationship_changes_in_place():
    process([relate("acme", id="u", role="admin", at=1)])
    before = ObjectRelationship.objects.get()

    process([relate("acme", id="u", role="owner", at=2)])

    after = ObjectRelationship.objects.get()
    assert (after.pk, after.attributes) == (before.pk, {"role": "owner"})


def test_what_a_visitor_wrote_before_the_look_back_stays_the_visitors(settings):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "LOOK_BACK": 7_200}
    process(
        [
            relate("acme", anonymous_id="X", at=1),
            relate("globex", anonymous_id="X", at=7),
            identify(id="A", anonymous_id="X", at=8),
        ]
    )

    rows = ObjectRelationship.objects.values_list("identifier__value", "object__object_id")

    assert set(rows) == {("X", "acme"), ("A", "globex")}
