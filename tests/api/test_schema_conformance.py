"""Requests at random and at every limit, good ones and bad, are answered as the document says.

``CASES``: how many of each sort for each operation; ``make soak`` takes more.
"""

from __future__ import annotations

import os
from collections import Counter
from itertools import islice

import pytest
import schemathesis
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode, checks

from identity_tracking.api.openapi.generator import Generator
from identity_tracking.api.segment.decoder import TYPES
from tests.api.customerio.conftest import basic
from tests.shares import CASES
from tests.web import FIREFOX, configure

pytestmark = pytest.mark.django_db

FEW = 5 if connection.vendor == "sqlite" else 2
SITE = {"site_id": "shop"}
SOMEBODY = {"email": "ada@example.com"}
ENOUGH = 30  # cases: of fewer it is not asserted that some were taken
NUMBER = int(os.environ.get("CASES", FEW))
APP = WSGIHandler()
KEYS = [basic(), basic("test-key", ""), basic("shop", "")]
CHECKS = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.content_type_conformance,
]
ALWAYS_TAKEN = (
    *(f"/v1/{kind}" for kind in ("batch", *TYPES)),
    "/beacon/",
    "/visitor",
    "/api/v1/acc",
)


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
def _can_erase(settings):
    configure(settings, SUPPRESSION_KEY="secret")


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
    send_at_limits(operation, seen)

    record_property(CASES, dict(seen))
    is_taken = any(sort.startswith("positive 2") for sort in seen)
    assert NUMBER < ENOUGH or is_taken or operation.path == "/schema/", "none of them got in"


def send_at_random(operation, mode, seen):
    """Send cases of one sort, mostly with a key, and count what was answered."""
    keys = [*keys_of(operation) * 2, None]

    @settings(
        max_examples=NUMBER,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), key=st.sampled_from(keys))
    def run(case, key):
        try_out(case, key, seen)

    run()


def send_at_limits(operation, seen):
    """Send what is just within each limit of the document and just beyond: always the same."""
    cases = DOCUMENT.iter_coverage_cases(
        operation,
        generation_modes=list(GenerationMode),
        generation_config=DOCUMENT.config.generation,
    )
    own = (case for case in cases if case.method.lower() == operation.method)
    for case in islice(own, 4 * NUMBER):
        try_out(case, keys_of(operation)[0], seen)


def try_out(case, key, seen):
    """Send a case, count its answer and compare that with the document."""
    answer = send(case, key)
    mode = case.meta.generation.mode
    seen[f"{mode.value} {answer.status_code}"] += 1
    case.validate_response(answer, checks=CHECKS)
    if mode.is_positive and key and case.path.startswith(ALWAYS_TAKEN):
        assert answer.status_code < 300, answer.text


def keys_of(operation):
    """Return the keys that an operation takes."""
    return KEYS[:1] if operation.path.startswith("/api/") else KEYS[1:]


def send(case, key):
    """Send a case as a browser, or a client that has one of the keys."""
    if key:
        tell_what_is_there(case)
    headers = {"User-Agent": FIREFOX, **({"Authorization": key} if key else {})}
    return case.call(app=APP, headers=headers)


def tell_what_is_there(case):
    """Give a case what the document cannot know: the site's id, and who filled in a form."""
    body = case.body if isinstance(case.body, dict) else {}
    if "site_id" in body:
        body |= SITE
    if "/forms/" in case.path:
        fields = body.get("data", body)
        case.query = {**case.query, **SITE}
        if isinstance(fields, dict):
            fields |= SOMEBODY
