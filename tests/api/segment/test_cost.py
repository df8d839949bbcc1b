"""What a batch costs: a handful of queries, however many events and claims are in it."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from tests.costs import cost

pytestmark = pytest.mark.django_db


def send(*calls):
    client = Client(headers={"authorization": "Bearer test-key"})
    batch = json.dumps({"batch": calls})
    assert client.post("/people/v1/batch", batch, "application/json").json() == {"success": True}


def tracks(number, name):
    return [
        {"type": "track", "event": "bought", "anonymousId": f"{name}-{index}"}
        for index in range(number)
    ]


def identifies(number, name):
    return [{"type": "identify", "userId": f"{name}-{index}"} for index in range(number)]


def queries(*calls):
    return cost(lambda: send(*calls)).queries


def test_a_batch_of_events_takes_as_many_queries_as_one_event():
    assert queries(*tracks(20, "a")) == queries(*tracks(1, "b")) <= 6


def test_claims_in_a_batch_cost_no_more_the_more_they_are():
    few, many = (
        queries(*tracks(15, f"t{number}"), *identifies(number, f"u{number}")) for number in (1, 20)
    )

    assert many == few <= 10
