from __future__ import annotations

import json
from base64 import b64encode
from io import BytesIO

import pytest
from django.core.handlers.asgi import ASGIRequest
from django.test import Client

from identity_tracking.api.customerio.views import CustomerView
from identity_tracking.models import FailedEvent, Person

pytestmark = pytest.mark.django_db

BODY = json.dumps({"plan": "pro"}).encode()
KEY = f"Basic {b64encode(b'shop:test-key').decode()}"
PATH = "/people/api/v1/customers/42"


def put(body, **environ):
    """Send a body in chunks, as a WSGI server hands it on."""
    environ |= {"wsgi.input": BytesIO(body), "HTTP_TRANSFER_ENCODING": "chunked"}
    return Client(headers={"authorization": KEY}).generic("PUT", PATH, **environ)


def test_a_body_in_chunks_is_read_where_the_server_tells_its_end():
    answer = put(BODY, **{"wsgi.input_terminated": True})

    assert answer.status_code == 200
    assert Person.objects.get(user_id="42").attributes == {"plan": "pro"}


def test_a_body_in_chunks_is_refused_where_it_cannot_be_read():
    answer = put(BODY)

    assert answer.status_code == 400
    assert answer.json()["meta"]["code"] == FailedEvent.objects.get().code == "unreadable"
    assert not Person.objects.exists()


def test_a_body_in_chunks_is_no_longer_than_another():
    answer = put(BODY + b" " * 512_000, **{"wsgi.input_terminated": True})

    assert answer.status_code == 413


def test_under_asgi_a_body_without_a_length_is_read():
    headers = [(b"authorization", KEY.encode())]
    scope = {"type": "http", "method": "PUT", "path": PATH, "query_string": b"", "headers": headers}

    answer = CustomerView.as_view()(ASGIRequest(scope, BytesIO(BODY)), rest="42")

    assert answer.status_code == 200
    assert Person.objects.get(user_id="42").attributes == {"plan": "pro"}


def test_a_call_without_a_body_is_one():
    answer = Client(headers={"authorization": KEY}).generic("PUT", PATH)

    assert answer.status_code == 200
    assert Person.objects.get(user_id="42").attributes == {}
