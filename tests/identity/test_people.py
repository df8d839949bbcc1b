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
