"""What comes of requests at random, good ones and bad, is what the OpenAPI document says.

``CASES``: how many of each sort for each operation; ``make soak`` takes more.
"""

from __future__ import annotations

import os
from collections import Counter

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks

from identity_tracking.api.openapi.generator import Generator
from tests.api.customerio.conftest import basic
from tests.shares import CASES

pytestmark = pytest.mark.django_db

FEW = 6 if connection.vendor == "sqlite" else 2
NUMBER = int(os.environ.get("CASES", FEW))
APP = WSGIHandler()
SITE, SECRET = basic(), basic("test-key", "")
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.content_type_conformance,
]
MOSTLY = st.sampled_from([True, True, True, False])
ALWAYS_TAKEN = ("/v1/", "/beacon/", "/visitor.js", "/api/v1/accounts/")


def closed(schema):
    """Return ``schema`` without the fields that it does not name: they would be most of a body."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    told = {name: closed(value) for name, value in schema.items()}
    return {"additionalProperties": False, **told} if "properties" in schema else told


DOCUMENT = schemathesis.openapi.from_dict(closed(Generator().get_schema()))
OPERATIONS = {one.label: one for one in (each.ok() for each in DOCUMENT.get_all_operations())}  # type: ignore[union-attr]


@pytest.fixture(autouse=True)
def _one_transaction():
    """Keep the test's connection, as Django's own client does."""
    ends = (request_started, request_finished)
    for end in ends:
        end.disconnect(close_old_connections)
    yield
    for end in ends:
        end.connect(close_old_connections)


@pytest.mark.parametrize("label", OPERATIONS)
def test_every_answer_is_one_that_the_document_tells(label, record_property):
    operation = OPERATIONS[label]
    seen: Counter[str] = Counter()
    modes = list(GenerationMode) if operation.body else [GenerationMode.POSITIVE]
    for mode in modes:
        send_at_random(operation, mode, seen)

    record_property(CASES, dict(seen))


def send_at_random(operation, mode, seen):
    """Send cases of one sort, and count what was answered."""

    @settings(
        max_examples=NUMBER,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), has_key=MOSTLY)
    def run(case, has_key):
        answer = send(case, has_key=has_key)
        seen[f"{mode.value} {answer.status_code}"] += 1
        case.validate_response(answer, checks=CHECKS)
        if mode.is_positive and has_key and operation.path.startswith(ALWAYS_TAKEN):
            assert answer.status_code < 300 or "{key}" in operation.path, answer.text

    run()


def send(case, *, has_key):
    """Send a case, mostly as somebody who has the key that its endpoint wants."""
    headers = {}
    if has_key and isinstance(case.body, dict) and "site_id" in case.body:
        case.body["site_id"] = "shop"
    if has_key:
        headers["Authorization"] = SITE if case.path.startswith("/api/") else SECRET
    return case.call(app=APP, headers=headers)
