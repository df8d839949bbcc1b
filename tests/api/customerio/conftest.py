"""A client of the server APIs, who has the key."""

from __future__ import annotations

import base64
import json

import pytest
from django.test import Client


def basic(site_id="shop", key="test-key"):
    return "Basic " + base64.b64encode(f"{site_id}:{key}".encode()).decode()


@pytest.fixture
def server():
    return Client(headers={"authorization": basic(), "content-type": "application/json"})


@pytest.fixture
def call(server):
    """Call a path of version 1, or one that starts with a slash."""

    def do(method, path, body=None, **options):
        data = b"" if body is None else json.dumps(body)
        path = path if path.startswith("/") else f"/people/api/v1/{path}"
        return server.generic(method, path, data, content_type="application/json", **options)

    return do


@pytest.fixture
def send(call):
    """Send items as one batch; return the answer's status and errors."""

    def do(*items):
        answer = call("POST", "/people/api/v2/batch", {"batch": items})
        return answer.status_code, answer.json().get("errors", [])

    return do
