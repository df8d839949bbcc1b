from __future__ import annotations

import pytest

from identity_tracking.ingest.process import process
from identity_tracking.models import Person
from tests.factories import LeadFactory, PersonFactory
from tests.saying import called, hour, identify, page, person

pytestmark = pytest.mark.django_db

E = "e@x.org"


@pytest.mark.parametrize(
    "who",
    [{"id": "42"}, {"id": 42.0}, {"email": "E@x.org"}, {"id": E}, {"anonymous_id": "X"}],
    ids=str,
)
def test_a_person_is_found_by_any_identifier(who):
    process([identify(id="42", email=E, anonymous_id="X")])

    assert called(Person.objects.find(**who)) == "42"


def test_a_person_is_found_by_cio_id_with_its_prefix_or_without():
    somebody = PersonFactory()

    assert Person.objects.find(cio_id=somebody.cio_id) == somebody
    assert Person.objects.find(id=f"cio_{somebody.cio_id}") == somebody


def test_a_cio_id_in_other_letters_is_nobodys():
    PersonFactory(cio_id="c0ffee")

    assert Person.objects.find(cio_id="C0FFEE") is None
    assert Person.objects.find(cio_id="c0ffée") is None


def test_ids_that_a_language_takes_for_equal_are_two_people():
    ids = ["Straße", "straße", "strasse", "Ünal", "Unal", "ﬀ", "ff", "☕", "😀", "👻"]
    process([identify(id=id, properties={"name": id}) for id in ids])

    assert [person(id=id).attributes["name"] for id in ids] == ids
    assert Person.objects.count() == len(ids)


@pytest.mark.parametrize("who", [{}, {"id": "u"}, {"id": "null"}, {"cio_id": "nobodys"}], ids=str)
def test_finding_nobody_makes_nobody(who):
    assert Person.objects.find(**who) is None
    assert not Person.objects.exists()


def test_a_person_is_found_at_a_time():
    process([identify(id="u", email=E, at=1), identify(id="v", email=E, at=5)])

    assert called(Person.objects.find(email=E, at=hour(3))) == "u"
    assert called(Person.objects.find(email=E)) == "v"


def test_people_are_identified_or_leads():
    known, lead = PersonFactory(), LeadFactory()
    PersonFactory(root=known)

    assert [*Person.objects.identified()] == [known]
    assert [*Person.objects.leads()] == [lead]
    assert {*Person.objects.standing()} == {known, lead}


@pytest.mark.parametrize(
    ("attributes", "shown", "initials"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace", "AL"),
        ({"firstName": "Ada"}, "Ada", "A"),
        ({"name": "Ada Lovelace"}, "Ada Lovelace", "AL"),
        ({}, "ada@x.org", "AX"),
    ],
)
def test_a_person_is_called_by_name_else_email(attributes, shown, initials):
    somebody = PersonFactory(attributes=attributes, email="ada@x.org")

    assert (str(somebody), somebody.initials) == (shown, initials)


def test_a_person_without_a_name_is_called_by_id_or_cio_id():
    assert str(PersonFactory.build(user_id="u")) == "u"
    assert str(Person(cio_id="0123456789")) == "01234567"


def test_cio_ids_are_never_the_same():
    assert PersonFactory().cio_id != PersonFactory().cio_id


def test_a_person_owns_the_identifiers_that_resolve_to_it():
    process([identify(id="u", email=E, anonymous_id="X"), page(anonymous_id="Y")])

    assert [row.value for row in person(id="u").identifiers] == ["u", E, "X"]
