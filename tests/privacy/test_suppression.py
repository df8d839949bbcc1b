"""Who was erased is refused at every entrance, in every spelling, and nothing of it is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from identity_tracking import erase, identify, rights, track
from identity_tracking.checks import check_suppressed
from identity_tracking.identifiers import names
from identity_tracking.ingest.process import process
from identity_tracking.messages import Outcome
from identity_tracking.models import Activity, FailedEvent, Identifier, Person, Suppression
from identity_tracking.privacy.suppression import MAX_NAMED, keys_in, mark
from tests import saying
from tests.factories import FailedEventFactory
from tests.saying import alias, page, person
from tests.web import Browser, configure
from tests.web import identify as identified
from tests.web import said as posted
from tests.web import track as tracked

pytestmark = pytest.mark.django_db

ADA: dict[str, Any] = {"id": "Ada-1", "email": "ada@example.com", "anonymous_id": "a-b-c"}


@pytest.fixture(autouse=True)
def erased(settings):
    """Ada was erased; return the cio_id that was hers."""
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    process([saying.identify(**ADA, trusted=True)])
    ada = person(id="Ada-1")
    erase(ada)
    return ada.cio_id


def test_who_is_accepted_again_is_by_all_that_they_were_called():
    rights.unsuppress(names(id="Ada-1"))

    assert not Suppression.objects.exists()
    process([saying.identify(**ADA)])
    assert person(email="ada@example.com") == person(anonymous_id="a-b-c") == person(id="Ada-1")


def test_who_is_accepted_again_brings_nobody_else():
    erase(identified_as("bob"))
    count = Suppression.objects.count()

    rights.unsuppress(names(id="bob"))

    assert count - Suppression.objects.count() == 2  # the id, and the cio_id
    assert process([saying.identify(**ADA)]) == [Outcome.SUPPRESSED]


def identified_as(id):
    process([saying.identify(id=id)])
    return person(id=id)


def kept():
    models = (Activity, Identifier, Person, FailedEvent)
    return {model.__name__ for model in models if model.objects.exists()}


@pytest.mark.case("PRIV-04")
@pytest.mark.parametrize(
    "who",
    [
        {"id": "Ada-1"},
        {"id": "  Ada-1\n"},
        {"email": "ada@example.com"},
        {"email": " ADA@Example.COM "},
        {"id": "Ada@example.com"},
        {"anonymous_id": "a-b-c"},
        {"id": "somebody", "anonymous_id": "a-b-c"},
        {"id": "somebody", "email": "ada@example.com"},
        {"id": "bob@example.com", "email": "ada@example.com"},
    ],
    ids=str,
)
@pytest.mark.parametrize("trusted", [True, False])
def test_whatever_names_them_is_refused(who, trusted):
    messages = [
        saying.identify(**who, trusted=trusted, properties={"plan": "pro"}),
        page(**who, trusted=trusted),
    ]

    assert process(messages) == [Outcome.SUPPRESSED] * 2
    assert kept() == set()


def test_a_cio_id_that_was_theirs_is_refused(erased):
    messages = [page(cio_id=erased), saying.identify(id=f"cio_{erased}", trusted=True)]

    assert process(messages) == [Outcome.SUPPRESSED] * 2
    assert kept() == set()


def test_a_cio_id_that_means_a_refused_email_is_refused():
    shared = "shared@example.com"
    process([saying.identify(id=id, email=shared, at=at) for id, at in (("bob", 1), ("eve", 3))])
    process([page(email=shared, at=2)])
    lead = Person.objects.get(anchor__value=shared)

    rights.suppress(names(email=shared))

    assert person(cio_id=lead.cio_id).user_id == "bob"
    assert process([page(cio_id=lead.cio_id)]) == [Outcome.SUPPRESSED]


def test_an_alias_of_their_browser_is_refused():
    assert process([alias(id="B", previous="a-b-c")]) == [Outcome.SUPPRESSED]
    assert kept() == set()


@pytest.mark.parametrize("before", ["Ada-1", "ADA@example.com"])
def test_an_alias_of_what_they_were_called_is_refused(before):
    assert process([alias(id="bob", previous=before)]) == [Outcome.SUPPRESSED]


def test_a_browser_that_is_called_by_their_email_is_refused():
    assert process([page(anonymous_id="ADA@example.com")]) == [Outcome.SUPPRESSED]


def test_an_id_of_another_case_is_somebody_else():
    assert process([page(id="ada-1")]) == [Outcome.STORED]


def test_others_in_the_batch_are_stored():
    theirs, ours, again = page(id="Ada-1"), page(id="B"), page(id="B")

    outcomes = process([ours, theirs, again, ours])

    assert outcomes == [Outcome.STORED, Outcome.SUPPRESSED, Outcome.STORED, Outcome.DUPLICATE]
    assert Activity.objects.count() == 2


def test_a_message_id_that_they_used_is_free_for_others():
    process([page(id="Ada-1", message_id="m")])

    assert process([page(id="B", message_id="m")]) == [Outcome.STORED]


@pytest.mark.case("PRIV-04")
def test_the_endpoint_answers_as_to_anybody(settings, erased):
    new, known = Browser(), Browser(cioanonid="a-b-c", cioid="Ada-1")
    messages = [
        identified("Ada-1", anonymous_id="n-1"),
        tracked(anonymous_id="a-b-c"),
        tracked(anonymous_id="n-1", id=f"cio_{erased}"),
        posted("link", anonymous_id="n-1", cio_id=erased),
    ]

    answers = [browser.send(*messages) for browser in (new, known)]
    stranger = Browser().send(tracked(anonymous_id="x-1"))

    assert {(one.status_code, one.content) for one in [*answers, stranger]} == {
        (200, b'{"success":true}')
    }
    assert Activity.objects.count() == 1


def test_what_they_said_is_not_kept_as_failed_either():
    unreadable = {"message_id": "x" * 200, "anonymous_id": "n-1", "email": "Ada@Example.com"}

    Browser().send({**tracked(), **unreadable}, {**tracked(id="B"), "message_id": "x" * 200})

    assert [json.loads(event.payload)["id"] for event in FailedEvent.objects.all()] == ["B"]


def test_python_calls_are_told():
    assert track(None, "bought", id="Ada-1") is Outcome.SUPPRESSED
    assert identify(None, email="ADA@example.com", plan="pro") is None
    assert kept() == set()


def test_of_whom_nothing_was_kept_no_person_is_returned():
    identify(None, id="bob")

    assert identify(None, id="bob", anonymous_id="a-b-c", plan="pro") is None
    assert person(id="bob").attributes == {}


def test_a_login_goes_on_and_is_not_kept(django_user_model, settings):
    configure(settings, USER_ID=lambda user: user.username)
    user = django_user_model.objects.create(username="Ada-1")
    browser = Browser()

    browser.force_login(user)

    assert browser.get("/").status_code == 200
    assert kept() == set()


@pytest.mark.case("LINK-11")
def test_a_personal_link_leads_nowhere(erased):
    Browser().open(f"/?_cio_id={erased}")

    assert kept() == set()


@pytest.mark.case("PRIV-06")
def test_the_hashes_need_the_key(settings):
    hashes = set(Suppression.objects.values_list("hash", flat=True))
    assert len(hashes) == 5  # an id, an email, a browser, and the cio_ids of both rows

    configure(settings, SUPPRESSION_KEY="another")

    assert process([page(id="Ada-1")]) == [Outcome.STORED]
    assert set(Suppression.objects.values_list("made_with", flat=True)) == {
        mark("a key of the tests")
    }


def test_who_was_erased_under_the_api_key_is_refused_also_once_there_is_another(settings):
    configure(settings, SUPPRESSION_KEY="", API_KEY="of the API")
    process([saying.identify(id="Bob-1", trusted=True)])
    erase(person(id="Bob-1"))

    configure(settings, SUPPRESSION_KEY="a key of the tests", API_KEY="of the API")

    said = [page(id="Bob-1"), page(id="Ada-1"), page(id="Cleo-1")]
    suppressed, stored = Outcome.SUPPRESSED, Outcome.STORED
    assert process(said) == [suppressed, suppressed, stored]
    assert check_suppressed(databases=["default"]) == []
    rights.unsuppress(names(id="Bob-1"))
    assert process([page(id="Bob-1")]) == [stored]


def test_a_hash_is_shown_in_short():
    hashed = Suppression.objects.all()[0]

    assert str(hashed) == hashed.hash[:8]


def test_it_costs_one_query_a_batch(settings):
    def queries(kind):
        with CaptureQueriesContext(connection) as asked:
            process([page(id=f"{kind}-{n}", email=f"{kind}-{n}@x.org") for n in range(20)])
        return len(asked)

    with_key = queries("a")
    configure(settings, SUPPRESSION_KEY="", API_KEY="")

    assert with_key == queries("b") + 1


def test_only_so_many_names_are_looked_for_in_a_failed_event():
    payload = json.dumps([{"id": n} for n in range(1, 1_000)])

    assert len(keys_in(FailedEventFactory.build(payload=payload))) == 2 * MAX_NAMED


@pytest.mark.parametrize(
    ("payload", "who"),
    [
        ('{"id": "a", "email": "cut o', {"id": "a"}),
        ('{"id": 42}', {"id": "42"}),
        ('{"id": 1.5}', {"id": "1.5"}),
        ('{"id": 007', {"id": "007"}),
        ('{"id": "\\u00e9"}', {"id": "é"}),
        ('{"data": {"userId": "a \\"b\\""}}', {"id": 'a "b"'}),
        ('{"Email":"Ada@X.org"}', {"email": "ada@x.org"}),
        ('{"anonymousId": "X"}', {"anonymous_id": "X"}),
    ],
)
def test_names_are_found_however_they_are_written(payload, who):
    assert names(**who).refs[0].key in keys_in(FailedEventFactory.build(payload=payload))


def test_what_names_nobody_is_no_name():
    payload = '{"id": null, "email": "none", "name": "id", "text": "\\"id\\": 7"}'

    assert keys_in(FailedEventFactory.build(payload=payload)) == set()
