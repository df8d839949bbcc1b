from __future__ import annotations

import pytest

from identity_tracking.ingest.process import process
from identity_tracking.models import Conflict, Identifier
from identity_tracking.models.conflict import Code
from tests.saying import identify, page

pytestmark = pytest.mark.django_db

E = "e@x.org"
SITUATIONS = {
    Code.IDENTIFIER_REFUSED: [identify(id="u", email="no address")],
    Code.UNKNOWN_CIO_ID: [page(id="u", cio_id="nobodys")],
    Code.EMAIL_OF_TWO_IDS: [identify(id="u", email=E), identify(id="v", email=E, at=1)],
    Code.EMAIL_NOT_COUNTED: [identify(email=E, trusted=True), identify(id="u", email=E)],
    Code.TOO_MANY_PEOPLE: [identify(id=f"u{n}", anonymous_id="X", at=n) for n in range(1, 7)],
}


def named(value):
    return Identifier.objects.get(value=value)


@pytest.mark.parametrize("code", SITUATIONS)
def test_every_conflict_is_told_once_however_often_it_is_met(code, arrive):
    arrive(*SITUATIONS[code])

    assert [row.code for row in Conflict.objects.all()] == [code]


def test_a_conflict_over_an_email_names_the_id_that_was_not_counted():
    process(SITUATIONS[Code.EMAIL_NOT_COUNTED])

    told = Conflict.objects.get()
    assert (told.identifier, told.other) == (named(E), named("u"))


def test_a_refused_identifier_names_the_message_and_what_it_was():
    (said,) = SITUATIONS[Code.IDENTIFIER_REFUSED]

    process([said])

    told = Conflict.objects.get()
    assert (told.activity_id, told.identifier.value, told.detail) == (said.key, "u", "email")


def test_agreement_is_no_conflict():
    process([identify(id="u", email=E, anonymous_id="X", at=1, trusted=True)])
    process([identify(id="u", email=E, anonymous_id="X", at=2)])
    process([identify(email=E, anonymous_id="Y", at=3, trusted=True)])

    assert not Conflict.objects.exists()
