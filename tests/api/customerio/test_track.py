"""The Track API, version 1, as its clients call it."""

from __future__ import annotations

import base64
import gzip
import json
from datetime import UTC, datetime

import pytest
from django.test import Client

from identity_tracking.identifiers import Kind
from identity_tracking.models import Activity, FailedEvent, Person, Suppression
from identity_tracking.sources import make_key
from tests.factories import SourceFactory
from tests.web import configure

pytestmark = pytest.mark.django_db

CUSTOMERS = "/people/api/v1/customers/"
ULID = "01BX5ZZKBKACTAV9WEVGEMMVRY"


def basic(site_id="shop", key="test-key"):
    return "Basic " + base64.b64encode(f"{site_id}:{key}".encode()).decode()


@pytest.fixture
def put(call):
    def do(identifier, **attributes):
        answer = call("PUT", f"{CUSTOMERS}{identifier}", attributes)
        assert (answer.status_code, answer.json()) == (200, {}), answer.content

    return do


def find(**who):
    return Person.objects.find(**who)


def test_a_put_makes_a_person_with_attributes(put):
    put("42", email="Ada@example.com", plan="pro", created_at=1704153600, nested={"x": None})

    person = find(id="42")
    assert (person.user_id, person.email) == ("42", "ada@example.com")
    assert person.attributes == {"plan": "pro", "nested": {"x": None}}
    assert person.created_at == datetime(2024, 1, 2, tzinfo=UTC)
    assert find(email="ada@example.com") == person


def test_a_put_overwrites_what_it_names_and_keeps_the_rest(put):
    put("42", plan="free", city="London")
    put("42", plan="pro", city=None)

    assert find(id="42").attributes == {"plan": "pro"}


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("user%201%2F%C3%A4", {"id": "user 1/ä"}),
        ("user%201/%C3%A4", {"id": "user 1/ä"}),
        ("person%2Bx%40example.com", {"email": "person+x@example.com"}),
        ("42/", {"id": "42"}),
    ],
)
def test_an_identifier_is_what_stands_in_the_path(put, path, who):
    put(path, first_name="P")

    assert find(**who).attributes == {"first_name": "P"}


def test_a_path_as_it_was_sent_tells_a_slash_of_an_id(call):
    sent = {"name": "bought"}
    answer = call(
        "POST",
        "customers/a/events/events",
        sent,
        RAW_URI="/people/api/v1/customers/a%2Fevents/events",
    )

    assert answer.status_code == 200
    assert [activity.name for activity in find_activities("a/events")] == ["bought"]


def test_a_path_with_a_line_break_is_refused_as_any_other(call):
    answer = call("PUT", "customers/4%0A2", {})

    assert (answer.status_code, answer.json()["meta"]["code"]) == (400, "no_identifier")


def test_a_path_that_goes_on_behind_its_end_does_nothing(call):
    path = "/people/api/v1/customers/42/suppress/not"

    assert call("POST", path, RAW_URI=path).status_code == 404


def test_a_path_that_was_rewritten_on_its_way_is_read_as_it_came(call):
    call("POST", "customers/42/events", {"name": "bought"}, RAW_URI="/elsewhere/9/events")

    assert [activity.name for activity in find_activities("42")] == ["bought"]


def find_activities(id):
    return Activity.objects.filter(identifier__value=id)


def test_a_cio_id_names_its_person_and_gives_another_id(put):
    put("old", email="a@example.com")
    person = find(id="old")

    put(f"cio_{person.cio_id}", id="new", email="b@example.com")

    person = find(id="old")
    assert person == find(id="new")
    assert (person.user_id, person.email) == ("new", "b@example.com")


def test_a_cio_id_that_nobody_has_is_kept_as_failed_and_told_to_nobody(put):
    put("cio_0300000001", email="a@example.com", plan="pro")

    assert not Person.objects.filter(user_id="cio_0300000001").exists()
    assert find(email="a@example.com").attributes == {"plan": "pro"}


def test_an_id_beside_another_moves_nobody(put):
    put("43", plan="pro")
    put("42", id="43", city="London")

    assert find(id="42") != find(id="43")
    assert find(id="42").attributes == {"city": "London"}


def test_a_cio_id_in_the_body_of_anothers_call_joins_nobody(put):
    put("43", plan="pro")
    put("42", id=f"cio_{find(id='43').cio_id}", city="London")

    assert find(id="42") != find(id="43")
    assert find(id="42").attributes == {"city": "London"}


def test_an_update_alone_makes_nobody(put):
    put("42", _update=True, plan="pro")
    assert find(id="42") is None

    put("42", plan="free")
    put("42", _update=True, plan="pro")
    assert find(id="42").attributes == {"plan": "pro"}


def test_an_identify_brings_the_anonymous_history(call, put):
    call("POST", "events", {"name": "viewed", "anonymous_id": "anon-1", "data": {"page": "/x"}})
    put("42", anonymous_id="anon-1")

    assert [activity.name for activity in find(id="42").activities][-1] == "viewed"


@pytest.mark.parametrize("anonymous", [{}, {"anonymous_id": None}, {"anonymous_id": ""}])
def test_an_event_of_no_visitor_is_a_new_ones(call, anonymous):
    for _ in range(2):
        answer = call("POST", "events", {"name": "viewed", "id": "event-1", **anonymous})
        assert (answer.status_code, answer.json()) == (200, {})
    call("POST", "events", {"name": "viewed", **anonymous})

    first, second = Activity.objects.filter(name="viewed")
    assert first.identifier.kind == second.identifier.kind == Kind.ANONYMOUS_ID
    assert first.identifier != second.identifier
    assert not FailedEvent.objects.exists()


@pytest.mark.parametrize("wrap", [dict, lambda one: [one]], ids=["object", "list"])
def test_relationships_are_read_in_every_shape(put, wrap):
    relation = {
        "identifiers": {"object_type_id": "1", "object_id": "acme"},
        "relationship_attributes": {"role": "admin"},
    }
    put("42", cio_relationships=wrap({"action": "add_relationships", "relationships": [relation]}))

    (held,) = find(id="42").relationships
    assert (str(held.object.object_id), held.attributes) == ("acme", {"role": "admin"})


def test_an_event_is_kept_as_it_was_told(call):
    body = {"name": " bought ", "data": {"price": 23.45}, "timestamp": 1700000000}

    answer = call("POST", "customers/42/events", body)

    assert (answer.status_code, answer.json()) == (200, {})
    (activity,) = find(id="42").activities
    assert (activity.type, activity.name) == ("track", "bought")
    assert activity.properties == {"price": 23.45}
    assert activity.timestamp == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert activity.trusted


def test_an_event_with_an_id_is_kept_once(call):
    for _ in range(2):
        body = {"name": "bought", "data": {"price": 1}, "id": ULID, "timestamp": 1700000000}
        assert call("POST", "customers/42/events", body).status_code == 200

    assert Activity.objects.count() == 1


def test_a_page_view_keeps_its_address(call):
    body = {"type": "page", "name": "https://example.com/p?token=1", "data": {"ref": "x"}}

    call("POST", "customers/42/events", body)

    (activity,) = find(id="42").activities
    assert activity.type == "page"
    assert activity.name == "https://example.com/p"
    assert activity.context == {"page": {"url": "https://example.com/p", "path": "/p"}}


def test_the_name_of_a_page_is_no_address(call):
    call("POST", "customers/42/events", {"type": "page", "name": "Home"})

    (activity,) = find(id="42").activities
    assert (activity.name, activity.context) == ("Home", {})


def test_a_screen_view_is_one(call):
    call("POST", "customers/42/events", {"type": "screen", "name": "Checkout"})

    (activity,) = find(id="42").activities
    assert (activity.type, activity.context) == ("page", {"screen": {"name": "Checkout"}})


def test_a_device_is_somebodys_until_it_is_deleted(call):
    device = {"id": "tok:en/1", "platform": "ios", "attributes": {"app_version": "1"}, "x": 1}

    assert call("PUT", "customers/42/devices", {"device": device}).status_code == 200
    (held,) = find(id="42").relationships
    assert (held.object.object_type, held.object.object_id) == ("device", "tok:en/1")
    assert held.attributes == {"platform": "ios", "app_version": "1", "x": 1}

    assert call("DELETE", "customers/42/devices/tok%3Aen%2F1", {}).status_code == 200
    assert not find(id="42").relationships.exists()


def test_a_device_token_that_was_encoded_twice_is_found(call):
    call("PUT", "customers/42/devices", {"device": {"id": "tok:en/1", "platform": "ios"}})

    call("DELETE", "customers/42/devices/tok%253Aen%252F1")

    assert not find(id="42").relationships.exists()


def test_two_people_are_merged_and_unknown_ones_are_left_alone(call, put):
    put("u1", plan="pro")
    put("b@example.com", city="London")
    body = {"primary": {"id": "u1"}, "secondary": {"email": "b@example.com"}}

    for _ in range(2):
        assert call("POST", "merge_customers", body).status_code == 200

    assert find(email="b@example.com") == find(id="u1")
    assert find(id="u1").attributes == {"plan": "pro", "city": "London"}
    unknown = {"primary": {"id": "nobody"}, "secondary": {"id": "u1"}}
    assert call("POST", "merge_customers", unknown).json() == {}
    assert find(id="nobody") is None


def test_a_merge_names_each_person_once(call):
    answer = call("POST", "merge_customers", {"primary": {"id": "1", "email": "a@x.org"}})

    assert answer.status_code == 400
    assert answer.json()["meta"]["code"] == "invalid_identifiers"
    assert isinstance(answer.json()["meta"]["error"], str)


def test_a_deleted_person_may_come_back(call, put):
    put("42", plan="pro")

    assert call("DELETE", "customers/42", {}).json() == {}
    assert find(id="42") is None
    assert call("DELETE", "customers/42", {}).status_code == 200
    put("42", city="London")
    assert find(id="42").attributes == {"city": "London"}


def test_who_is_suppressed_is_deleted_and_refused_until_that_is_taken_back(call, put, settings):
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    put("42", plan="pro")

    assert call("POST", "customers/42/suppress").json() == {}
    put("42", plan="pro")
    assert find(id="42") is None

    assert call("POST", "customers/42/unsuppress", {}).json() == {}
    put("42", plan="pro")
    assert find(id="42").attributes == {"plan": "pro"}


def test_somebody_unknown_can_be_suppressed(call, put, settings):
    configure(settings, SUPPRESSION_KEY="a key of the tests")

    call("POST", "customers/Ada@example.com/suppress")
    put("42", email="ada@example.com")

    assert (find(id="42"), Suppression.objects.count()) == (None, 1)


def test_without_a_key_nobody_can_be_suppressed_and_the_answer_says_so(call, settings):
    key = make_key(SourceFactory(site_id="blog"))
    configure(settings, API_KEY="")

    answer = call("POST", "customers/42/suppress", headers={"authorization": basic("blog", key)})

    assert answer.status_code == 400
    assert "SUPPRESSION_KEY" in answer.json()["meta"]["errors"][0]


def test_members_of_a_segment_are_those_who_are_known(call, put):
    put("1", plan="pro")
    put("a@example.com")

    call("POST", "segments/7/add_customers", {"ids": [1, "nobody"]})
    call("POST", "segments/7/add_customers?id_type=email", {"ids": ["a@example.com"]})
    call("POST", "segments/7/remove_customers?id_type=email", {"ids": ["a@example.com"]})

    (held,) = find(id="1").relationships
    assert (held.object.object_type, held.object.object_id) == ("segment", "7")
    assert not find(email="a@example.com").relationships.exists()
    assert find(id="nobody") is None


@pytest.mark.parametrize("body", [{}, {"ids": []}, {"ids": "1"}, {"ids": list(range(1001))}, []])
def test_a_segment_is_given_some_ids(call, body):
    answer = call("POST", "segments/7/add_customers", body)

    assert (answer.status_code, answer.json()["meta"]["code"]) == (400, "invalid_ids")


def test_the_region_tests_a_key(call):
    answer = call("GET", "accounts/region")

    assert answer.json() == {"url": "testserver", "region": "us", "environment_id": 1}


@pytest.mark.parametrize(
    "authorization",
    ["", basic(key="wrong"), basic("other"), "Basic !", "Bearer test-key", "Basic /w=="],
)
def test_without_the_key_nothing_is_kept(authorization):
    client = Client(headers={"authorization": authorization})

    answer = client.put(f"{CUSTOMERS}42", {"plan": "pro"}, content_type="application/json")

    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == 'Basic realm="identity_tracking"'
    assert answer.json()["meta"]["error"]
    assert find(id="42") is None


@pytest.mark.case("ORIG-06")
@pytest.mark.parametrize("verb", ["PUT", "DELETE"])
def test_neither_the_public_key_nor_a_session_proves_anything(admin_client, put, verb):
    put("42", plan="pro")
    public = Client(headers={"authorization": basic(key="")})

    for client in (public, admin_client):
        assert client.generic(verb, f"{CUSTOMERS}42").status_code == 401
        assert client.post("/people/api/v1/merge_customers").status_code == 401
    assert find(id="42").attributes == {"plan": "pro"}


@pytest.mark.case("AUTH-09")
@pytest.mark.parametrize(
    "path",
    [
        "..%2F..%2Fadmin",
        "a%2Fb",
        "%00",
        ".",
        "..",
        "email:a@x.org",
        "cio_1",
        "%E2%80%AE",
        "a" * 151,
    ],
)
def test_an_odd_identifier_is_taken_as_it_is_or_refused(call, path):
    assert call("PUT", f"customers/{path}", {"plan": "pro"}).status_code in {200, 400, 404}


def test_a_site_without_an_api_key_lets_nobody_in(settings):
    configure(settings, API_KEY="")

    client = Client(headers={"authorization": basic(key="")})

    assert client.get("/people/api/v1/accounts/region").status_code == 401


@pytest.mark.case("ORIG-07")
def test_a_secret_key_in_a_page_is_refused(call):
    answer = call("GET", "accounts/region", HTTP_ORIGIN="https://testserver")

    assert (answer.status_code, answer.json()["meta"]["code"]) == (403, "secret_in_browser")


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("customers/42/events", {"data": {}}, "name_missing"),
        ("customers/42/events", {"name": "a", "timestamp": "soon"}, "invalid_timestamp"),
        ("customers/42/events", {"name": "a", "data": [1]}, "not_an_object"),
        ("customers/null/events", {"name": "a"}, "no_identifier"),
        ("events", {"data": {}}, "name_missing"),
        ("events", [], "invalid_body"),
    ],
)
def test_what_cannot_be_accepted_is_told_and_kept(call, path, body, code):
    answer = call("POST", path, body)

    assert (answer.status_code, answer.json()["meta"]["code"]) == (400, code)
    assert len(answer.json()["meta"]["errors"]) == 1
    (failed,) = FailedEvent.objects.all()
    assert (failed.code, failed.trusted, failed.source) == (code, True, "shop")
    kept = json.loads(failed.payload)
    assert kept["body"] == [] if body == [] else kept.items() >= body.items()


def test_what_was_refused_of_somebody_goes_when_they_are_erased(call, put, settings):
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    put("42", plan="pro")
    call("POST", "customers/42/events", {"data": {}})
    call("POST", "customers/43/events", {"data": {}})

    call("POST", "customers/42/suppress")

    assert json.loads(FailedEvent.objects.get().payload)["identifiers"] == {"id": "43"}


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"a": NaN}', b"\xff", b"[" * 100_000],
    ids=["cut", "not a number", "no UTF-8", "too deep"],
)
def test_a_body_that_is_no_json_is_told_and_kept(server, body):
    answer = server.generic("PUT", f"{CUSTOMERS}42", body, content_type="application/json")

    assert (answer.status_code, answer.json()["meta"]["code"]) == (400, "invalid_json")
    assert FailedEvent.objects.get().code == "invalid_json"


@pytest.mark.parametrize("coding", ["gzip", "GZip", "x-gzip"])
def test_a_zipped_body_is_read(server, coding):
    body = gzip.compress(json.dumps({"plan": "pro"}).encode())

    server.put(f"{CUSTOMERS}42", body, headers={"content-encoding": coding})

    assert find(id="42").attributes == {"plan": "pro"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not zipped", "invalid_gzip"),
        (gzip.compress(b'{"plan": "pro"}')[:10], "invalid_gzip"),
        (gzip.compress(b'{"plan": "pro"}')[:-1], "invalid_gzip"),
        (gzip.compress(b'{"plan": "pro"}')[:-1] + b"1", "invalid_gzip"),
        (gzip.compress(b" " * 10_000_000), "too_large"),
        (gzip.compress(b" " * 10_000_000)[:-10], "too_large"),
    ],
    ids=["not zipped", "its head alone", "cut", "another's sum", "bomb", "cut bomb"],
)
def test_a_bad_zipped_body_is_refused(server, body, code):
    answer = server.put(f"{CUSTOMERS}42", body, headers={"content-encoding": "gzip"})

    assert answer.json()["meta"]["code"] == code
    assert find(id="42") is None


def test_nothing_is_nothing_whatever_its_coding(server):
    answer = server.delete(f"{CUSTOMERS}42", headers={"content-encoding": "gzip"})

    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["customers/42/other/", "customers/42/devices", "nothing"])
def test_a_path_of_no_endpoint_is_never_redirected(call, path):
    assert call("POST", path, {}).status_code in {404, 405}


def test_where_the_app_is_off_nothing_is_kept(call, put, settings):
    put("1", plan="pro")
    configure(settings, ENABLED=False)

    put("42", plan="pro")
    call("POST", "segments/7/add_customers", {"ids": ["1"]})

    assert find(id="42") is None
    assert not find(id="1").relationships.exists()
