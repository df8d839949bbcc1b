from __future__ import annotations

import pytest

from identity_tracking.ingest.process import process
from identity_tracking.messages import Outcome
from identity_tracking.models import Activity, Conflict
from identity_tracking.models.conflict import Code
from tests.factories import LeadFactory, PersonFactory
from tests.saying import identify, owner, page, person

pytestmark = pytest.mark.django_db


def refused():
    return list(Conflict.objects.values_list("code", "detail"))


def test_a_cio_id_means_the_id_it_belongs_to():
    somebody = PersonFactory(user_id="u")
    said = page(cio_id=somebody.cio_id)

    assert process([said]) == [Outcome.STORED]
    assert owner(said) == "u"
    assert refused() == []


def test_a_cio_id_means_the_email_it_belongs_to():
    lead = LeadFactory(email="e@x.org")
    said = page(cio_id=lead.cio_id)

    process([said])

    assert owner(said) == "e@x.org"


def test_an_unknown_cio_id_is_refused_and_the_rest_counts():
    said = page(cio_id="nobodys", id="u")

    assert process([said]) == [Outcome.STORED]
    assert owner(said) == "u"
    assert refused() == [(Code.UNKNOWN_CIO_ID, "cio_id")]


def test_an_unknown_cio_id_alone_is_refused():
    assert process([page(cio_id="nobodys")]) == [Outcome.REFUSED]
    assert not Activity.objects.exists()


@pytest.mark.parametrize(
    ("factory", "other"),
    [(PersonFactory, {"id": "another"}), (LeadFactory, {"email": "another@x.org"})],
    ids=["id", "email"],
)
def test_a_cio_id_wins_over_what_contradicts_it(factory, other):
    somebody = factory()
    said = page(cio_id=somebody.cio_id, **other)

    process([said])

    assert Activity.objects.get(pk=said.key).person == somebody
    assert refused() == [(Code.IDENTIFIER_REFUSED, next(iter(other)))]


def test_a_cio_id_agrees_with_its_own_id():
    somebody = PersonFactory(user_id="u")

    process([page(cio_id=somebody.cio_id, id="u")])

    assert refused() == []


def test_a_new_email_for_the_cio_id_of_an_id_is_accepted():
    somebody = PersonFactory(user_id="u")

    process([identify(cio_id=somebody.cio_id, email="new@x.org", trusted=True)])

    assert person(email="new@x.org") == somebody
    assert person(id="u").email == "new@x.org"


def test_an_identifier_that_could_not_be_used_is_told_beside_one_that_could():
    process([identify(id="u", email="no address", anonymous_id="a\0")])

    assert set(refused()) == {
        (Code.IDENTIFIER_REFUSED, "email"),
        (Code.IDENTIFIER_REFUSED, "anonymous_id"),
    }


@pytest.mark.usefixtures("of_now")
def test_all_cio_ids_of_a_batch_are_looked_up_at_once(django_assert_max_num_queries):
    people = PersonFactory.create_batch(20)

    with django_assert_max_num_queries(6):
        process([page(cio_id=somebody.cio_id) for somebody in people])
