from __future__ import annotations

import pytest
from django.db import connection

from identity_tracking.ingest.process import process
from identity_tracking.messages import Relation, Type, object_ref
from identity_tracking.models import Activity, Identifier
from identity_tracking.models.activity import first_and_last_touch, spans
from identity_tracking.models.conflict import Code
from tests.factories import (
    ActivityFactory,
    ClaimFactory,
    ConflictFactory,
    FailedEventFactory,
    ObjectRelationshipFactory,
    OwnershipFactory,
    PersonFactory,
    TrackedObjectFactory,
)
from tests.saying import hour, identify, message, page, person, relate, track

pytestmark = pytest.mark.django_db


def shared_browser():
    """A's from 1 to 5, nobody's until B comes at 9, and a visitor's beside it."""
    said = [
        page(anonymous_id="X", at=0),
        identify(id="A", anonymous_id="X", at=1),
        page(anonymous_id="X", at=5),
        identify(id="B", anonymous_id="X", at=9),
        page(anonymous_id="X", at=10),
        page(anonymous_id="Y", at=10),
    ]
    process(said)
    return said


@pytest.mark.parametrize("value", [1e19, 0.5])
def test_what_a_message_relates_is_read_again_as_it_was(value):
    cut = object_ref("company", "x" * 149 + " and more")
    relations = (Relation(object=cut, attributes={"shares": value}),)
    process([message(Type.RELATE, id="A", relations=relations)])

    assert Activity.objects.get().as_message().relations == relations


def test_who_comes_to_a_browser_is_stored_whatever_another_related_on_it():
    relations = (Relation(object=object_ref("company", "acme"), attributes={"shares": 1e19}),)
    process([message(Type.RELATE, anonymous_id="X", relations=relations, at=0)])
    process([identify(id="A", anonymous_id="X", at=1)])

    process([identify(id="B", anonymous_id="X", at=9)])

    assert person(anonymous_id="X").user_id == "B"
    assert person(id="A").relationships.get().attributes == {"shares": 1e19}


def test_with_person_says_what_each_activity_says_itself():
    shared_browser()

    at_once = [row.person for row in Activity.objects.with_person().order_by("pk")]

    assert at_once == [row.person for row in Activity.objects.order_by("pk")]


def test_the_people_of_many_activities_are_loaded_at_once(django_assert_num_queries):
    shared_browser()

    with django_assert_num_queries(2):
        assert {str(row.person) for row in Activity.objects.with_person()} == {"A", "B", "None"}


def test_a_history_is_newest_first_and_holds_each_activity_once():
    said = shared_browser()

    history = person(id="A").activities

    assert [row.pk for row in history] == [said[1].key, said[0].key]
    assert history.count() == 2


def test_nobodys_history_is_empty():
    assert not Activity.objects.of(PersonFactory.build(pk=PersonFactory().pk)).exists()
    assert not Activity.objects.within([]).exists()


def test_an_activity_tells_its_message_again():
    said = relate("acme", id="u", role="admin", trusted=True)
    process([said])

    again = Activity.objects.get().as_message()

    assert (again.key, again.relations, again.properties) == (said.key, said.relations, {})
    assert (again.type, again.head, again.order) == (said.type, said.head, said.order)


def test_a_form_tells_again_what_it_wrote():
    said = message(Type.FORM, id="u", properties={"fname": "Ada"}, assigns={"first_name": "fname"})
    process([said])

    again = Activity.objects.get().as_message()

    assert again.attributes == said.attributes == {"first_name": "Ada"}


def test_every_row_is_called_by_what_it_holds():
    ownership = OwnershipFactory(since=hour(0), until=hour(24))
    claim = ClaimFactory()

    assert str(ownership) == f"{ownership.identifier_id} 2026-11-02–2026-11-03"
    assert str(claim) == f"{claim.weak_id} → {claim.target_id}"
    assert str(claim.weak) == claim.weak.value
    assert str(TrackedObjectFactory(object_id="acme")) == "company: acme"
    assert str(ConflictFactory(code=Code.EMAIL_OF_TWO_IDS)) == "two ids use one email"
    assert str(FailedEventFactory(code="too_deep")) == "too_deep"


def test_a_relationship_is_called_by_both_its_sides():
    row = ObjectRelationshipFactory()

    assert str(row) == f"{row.identifier_id} – {row.object_id}"


def test_an_activity_is_called_by_its_name_or_its_type():
    assert str(ActivityFactory.build(name="added_to_cart")) == "added_to_cart"
    assert str(ActivityFactory.build(name="", type="page")) == "page view"


def test_an_activity_is_anonymous_if_it_named_only_a_browser():
    process([track(anonymous_id="X"), track(id="u")])

    assert sorted(row.is_anonymous for row in Activity.objects.all()) == [False, True]


def test_visitors_nobody_owns_are_unowned():
    shared_browser()

    assert [row.value for row in Identifier.objects.visitors().unowned()] == ["Y"]


def test_a_person_has_the_first_and_the_last_campaign_that_led_to_them():
    news, ad = ({"campaign": {"source": source}} for source in ("news", "ad"))
    process(
        [
            page(anonymous_id="X", at=1, context=news),
            page(anonymous_id="X", at=2),
            identify(id="a", anonymous_id="X", at=3),
            page(id="a", at=4, context=ad),
            page(id="a", at=5),
            page(id="b", at=6),
        ]
    )

    found = person(id="a")
    touches = first_and_last_touch(spans(found), "default")
    assert [touch.context for touch in touches] == [news, ad]
    assert touches == [found.first_touch, found.last_touch]
    assert person(id="b").first_touch is person(id="b").last_touch is None


def test_the_campaigns_of_a_person_are_found_without_reading_their_history():
    process([identify(id="a")])
    told = Activity.objects.within(spans(person(id="a"))).touches().order_by("timestamp").explain()

    assert connection.vendor == "mysql" or "activity_touch" in told
