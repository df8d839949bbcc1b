"""R9: a trusted message gives a person another id or email; the old one keeps resolving."""

from __future__ import annotations

import pytest

from identity_tracking import identify as identify_by
from identity_tracking import merge
from identity_tracking.ingest.process import process
from identity_tracking.messages import Type
from identity_tracking.models import Conflict, MergeOperation
from identity_tracking.models.conflict import Code
from tests.saying import alias, identify, message, owner, owners, page, person

pytestmark = pytest.mark.django_db


def cio_id(**who):
    return person(**who).cio_id


def refused():
    return list(Conflict.objects.values_list("code", "detail"))


def renamed(**rest):
    """Give u the id v, by its cio_id."""
    process([page(id="u", at=1)])
    said = identify(cio_id=cio_id(id="u"), id="v", at=5, **{"trusted": True, **rest})
    process([said])
    return said


# An id


def test_a_new_id_is_shown_and_the_old_one_keeps_resolving():
    said = renamed()

    assert person(id="v").user_id == "v"
    assert person(id="u") == person(id="v")
    assert owner(said) == "v"


def test_the_cio_id_stays():
    process([page(id="u", at=1)])
    before = cio_id(id="u")

    process([identify(cio_id=before, id="v", trusted=True)])

    assert cio_id(id="v") == before


def test_a_new_id_is_a_merge_that_names_its_message_and_can_be_undone():
    said = renamed()
    later = page(id="v", at=9)
    process([later])
    assert owner(later) == "v"

    operation = MergeOperation.objects.get(activity=said.key)
    operation.undo()

    assert person(id="u") != person(id="v")
    assert person(id="u").user_id == "u"
    assert owners(said, later) == ["u", "v"]


def test_a_new_id_arrives_twice_or_before_what_it_renames():
    process([identify(id="v", at=7), page(id="u", at=1)])
    said = identify(cio_id=cio_id(id="u"), id="v", at=5, trusted=True)

    process([said])
    process([said])

    assert person(id="v") == person(id="u")
    assert MergeOperation.objects.count() == 1


def test_the_latest_id_is_shown():
    renamed()
    by_cio_id = cio_id(id="u")

    process([identify(cio_id=by_cio_id, id="w", at=4, trusted=True)])
    assert person(id="w").user_id == "v"
    process([identify(cio_id=by_cio_id, id="x", at=9, trusted=True)])
    assert person(id="w").user_id == "x"


def test_the_id_it_has_already_is_no_other():
    said = renamed()

    process([identify(cio_id=cio_id(id="u"), id="u", at=9, trusted=True)])

    assert person(id="u").user_id == "v"
    assert refused() == []
    assert MergeOperation.objects.get().activity_id == said.key


def test_an_undo_takes_back_the_name_though_another_merge_joins_them_still():
    process([page(id="u"), page(id="v")])
    merge(person(id="u"), person(id="v"))
    said = renamed()
    assert person(id="u").user_id == "v"

    MergeOperation.objects.get(activity=said.key).undo()

    assert person(id="v").user_id == "u"


def test_the_id_of_whom_it_was_merged_into_is_shown():
    renamed()
    process([page(id="w")])

    merge(person(id="w"), person(id="u"))

    assert person(id="v").user_id == "w"


@pytest.mark.parametrize("said", [{"trusted": False}, {"trusted": True, "type": "page"}])
def test_nothing_else_gives_another_id(said):
    process([page(id="u", at=1)])
    say = page if said.pop("type", "") else identify
    message = say(cio_id=cio_id(id="u"), id="v", at=5, **said)

    process([message])

    assert owner(message) == "u"
    assert refused() == [(Code.IDENTIFIER_REFUSED, "id")]
    assert not MergeOperation.objects.exists()


def test_python_gives_a_person_another_id():
    process([page(id="u", at=1)])

    renamed = identify_by(person(id="u"), id="v")

    assert renamed is not None
    assert renamed.user_id == "v"
    assert person(id="u") == renamed


# An email


def test_a_new_email_of_an_id_is_shown_and_the_old_one_keeps_resolving():
    process([identify(id="u", email="old@x.org", at=1, trusted=True)])

    process([identify(id="u", email="new@x.org", at=5, trusted=True)])

    assert person(email="old@x.org") == person(email="new@x.org")
    assert person(id="u").email == "new@x.org"


def test_a_lead_gets_another_email():
    process([identify(email="old@x.org", at=1)])

    process([identify(cio_id=cio_id(email="old@x.org"), email="new@x.org", at=5, trusted=True)])

    assert person(email="old@x.org") == person(email="new@x.org")
    assert person(email="old@x.org").email == "new@x.org"


def test_an_email_as_id_gets_another_email():
    process([identify(id="old@x.org", email="new@x.org", trusted=True)])

    assert person(email="old@x.org") == person(email="new@x.org")
    assert person(email="old@x.org").email == "new@x.org"


def test_an_unproven_email_beside_a_trusted_id_gives_no_lead_another():
    message = identify(id="old@x.org", email="new@x.org", trusted=True, email_trusted=False)

    process([message])

    assert person(email="old@x.org").email == "old@x.org"
    assert refused() == [(Code.IDENTIFIER_REFUSED, "email")]


def test_a_lead_gets_an_id_and_another_email_at_once():
    process([identify(email="old@x.org", at=1)])
    by_cio_id = cio_id(email="old@x.org")

    process([identify(cio_id=by_cio_id, id="u", email="new@x.org", at=5, trusted=True)])

    assert {person(email=one).user_id for one in ("old@x.org", "new@x.org")} == {"u"}
    assert person(id="u").email == "new@x.org"
    assert person(cio_id=by_cio_id) == person(id="u")


# R2b: who repeats a call with the identity of now


def test_what_was_done_under_a_restamped_id_is_the_browsers():
    process([alias(id="u", previous="X", at=3)])
    said = [
        message(type, id="v", anonymous_id="X", at=1, restamped=stamped)
        for type in (Type.PAGE, Type.GROUP)
        for stamped in (True, False)
    ]

    process(said)

    assert owners(*said) == ["u", "v", "u", "v"]


def test_a_restamped_identify_says_who_it_is_all_the_same():
    process([identify(id="v", anonymous_id="X", at=1, restamped=True)])

    assert person(anonymous_id="X").user_id == "v"
