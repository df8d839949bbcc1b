"""A page of another site, open in somebody's browser, writes nothing at all by it."""

from __future__ import annotations

import pytest

from identity_tracking.models import Activity, FailedEvent, Form, Identifier
from tests.attacks.entrances import ENTRANCES, PUBLIC, SECRET, basic
from tests.web import Browser

pytestmark = pytest.mark.django_db

EVENT = ENTRANCES["script"].event()
CALL = ENTRANCES["segment"].event(writeKey=f'"{PUBLIC}"')
DELIVERY = '{"delivery_id": "d-1", "metric": "opened", "recipient": "ada@shop.test"}'
URL_ENCODED = "application/x-www-form-urlencoded"
OPEN = {  # what anybody may post, as a page of the site does
    "/people/visit/": (EVENT, "text/plain;charset=UTF-8"),
    "/people/v1/track": (CALL, "text/plain"),
    "/people/api/v1/metrics": (DELIVERY, "text/plain"),
    "/people/push/events": (DELIVERY, "text/plain"),
    "/people/unsubscribe/d-1": (DELIVERY, "text/plain"),
    "/people/forms/submit_action?site_id=shop&form_id=a": ("email=ada%40shop.test", URL_ENCODED),
}
ELSEWHERE = [
    {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"sec-fetch-site": "same-site"},
]
every_address = pytest.mark.parametrize("address", OPEN)


def is_anything_kept():
    return any(model.objects.exists() for model in (Activity, FailedEvent, Form, Identifier))


@pytest.mark.case("ORIG-01", "ORIG-02", "ORIG-04")
@every_address
def test_a_page_of_another_site_writes_nothing(address):
    body, type = OPEN[address]

    for headers in ELSEWHERE:
        for text in (body, "{", ""):
            answer = Browser(headers=headers).post(address, text, content_type=type)

            assert answer.status_code in {400, 401, 403}
            assert "Access-Control-Allow-Origin" not in answer
    assert not is_anything_kept()


@every_address
def test_and_a_page_of_the_site_does(address):
    body, type = OPEN[address]

    answer = Browser(headers={"origin": "http://testserver"}).post(address, body, content_type=type)

    assert answer.status_code == 200
    assert is_anything_kept()


@pytest.mark.case("ORIG-09")
@every_address
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_to_look_is_not_to_write(address, method):
    body, _ = OPEN[address]

    answer = Browser().generic(method, address, body, QUERY_STRING="id=u-1&email=ada@shop.test")

    assert answer.status_code in {404, 405}
    assert not is_anything_kept()


@pytest.mark.case("ORIG-07")
@pytest.mark.parametrize("name", ["segment", "track-1", "track-2"])
def test_a_secret_key_in_a_page_of_the_site_itself_is_refused_and_told(name, caplog):
    entrance = ENTRANCES[name]

    answer = entrance.post(entrance.event(), origin="http://testserver")

    assert answer.status_code == 403
    assert SECRET not in caplog.text
    assert "secret API_KEY" in caplog.text
    assert not is_anything_kept()


@pytest.mark.case("ORIG-03")
@every_address
def test_a_preflight_of_another_site_is_told_nothing(address, django_assert_num_queries):
    headers = {"origin": "https://evil.example", "access-control-request-method": "POST"}

    Browser(headers=headers).options(address)  # the sources are read once a second
    with django_assert_num_queries(0):
        answer = Browser(headers=headers).options(address)

    assert answer.status_code == 204
    assert "Access-Control-Allow-Origin" not in answer
    assert "Origin" in answer["Vary"]


@pytest.mark.case("AUTH-05")
def test_a_key_is_good_for_its_own_site_id_alone():
    entrance = ENTRANCES["track-1"]

    answer = entrance.post(entrance.event(), authorization=basic(f"other:{SECRET}"))

    assert answer.status_code == 401
    assert not is_anything_kept()
