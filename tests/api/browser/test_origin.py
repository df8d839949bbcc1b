from __future__ import annotations

import pytest

from identity_tracking.models import Activity
from tests.web import ENDPOINT, Browser, configure, said

pytestmark = pytest.mark.django_db

ALLOWED = "https://www.shop.example"


@pytest.fixture
def allowed(settings):
    configure(settings, ALLOWED_ORIGINS=[ALLOWED])


def post(**headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Browser(headers=headers).send(said(anonymous_id="a-1"))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "same-origin", "origin": "https://behind-a-proxy.example"},
        {"origin": "http://testserver"},
        {"origin": "https://testserver"},
    ],
    ids=str,
)
def test_the_sites_own_pages_may_post(headers):
    assert post(**headers).status_code == 200


@pytest.mark.case("ORIG-01", "ORIG-02", "ORIG-04")
@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_site": "cross-site", "origin": "http://testserver"},
        {"origin": "null"},
        {"origin": "file://"},
        {"origin": "https://testserver.evil.example"},
        {"origin": "https://eviltestserver"},
        {"origin": "https://testserver:444"},
        {"origin": "https://testserver."},
        {"origin": "https://testserver@evil.example"},
        {"origin": "https://[evil"},
        {"origin": "*"},
    ],
    ids=str,
)
def test_no_other_page_may(headers):
    response = post(**headers)

    assert response.status_code == 403
    assert response.json()["error"]["code"] == "origin_not_allowed"
    assert "Access-Control-Allow-Origin" not in response
    assert Activity.objects.count() == 0


@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_an_allowed_origin_may_post_and_read_the_answer(site):
    response = post(origin=ALLOWED, sec_fetch_site=site)

    assert response.status_code == 200
    assert response["Access-Control-Allow-Origin"] == ALLOWED
    assert response["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in response["Vary"]


@pytest.mark.case("ORIG-02")
@pytest.mark.usefixtures("allowed")
@pytest.mark.parametrize(
    "origin",
    [
        "http://www.shop.example",
        f"{ALLOWED}:444",
        f"{ALLOWED}.",
        f"{ALLOWED}/",
        "https://shop.example",
        "https://evil.example",
        "null",
    ],
)
def test_an_origin_is_allowed_only_as_it_stands(origin):
    response = post(origin=origin, sec_fetch_site="cross-site")

    assert response.status_code == 403
    assert "Access-Control-Allow-Origin" not in response
    assert "Origin" in response["Vary"]


@pytest.mark.usefixtures("allowed")
def test_a_page_of_an_allowed_origin_can_read_why_it_was_refused():
    response = Browser(headers={"origin": ALLOWED}).post_text("{")

    assert response.status_code == 400
    assert response["Access-Control-Allow-Origin"] == ALLOWED


def preflight(origin):
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "x-y"}
    return Browser(headers={"origin": origin, **asked}).options(ENDPOINT)


@pytest.mark.case("ORIG-03")
@pytest.mark.usefixtures("allowed")
def test_a_preflight_is_answered_without_a_query(django_assert_num_queries):
    with django_assert_num_queries(0):
        response = preflight(ALLOWED)

    assert (response.status_code, response.content) == (204, b"")
    assert response["Access-Control-Allow-Origin"] == ALLOWED
    assert response["Access-Control-Allow-Methods"] == "POST"
    assert response["Access-Control-Allow-Headers"] == "content-type"


@pytest.mark.case("ORIG-03")
@pytest.mark.usefixtures("allowed")
def test_a_preflight_of_another_origin_is_told_nothing():
    response = preflight("https://evil.example")

    assert "Access-Control-Allow-Origin" not in response
    assert "Origin" in response["Vary"]


def test_without_allowed_origins_nothing_is_said_of_origins():
    response = post(sec_fetch_site="same-origin")

    assert "Vary" not in response
    assert not [name for name in response.headers if name.startswith("Access-Control")]
