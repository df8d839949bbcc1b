"""Every way in by HTTP, so that one attack is tried at each: what an event is called there."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from tests.web import FIREFOX

PUBLIC, SECRET = "shop", "test-key"
MESSAGES = '{"site_id": "shop", "messages": [%s]}'
BATCH = '{"batch": [%s]}'


@dataclass(frozen=True, kw_only=True, slots=True)
class Entrance:
    """One endpoint that takes an event.

    ``begin``: what each event has beside what a test says; ``calls``: what it calls the fields
    of an event, where it is not called so itself; ``around``: what one event stands in.
    """

    path: str
    begin: str
    calls: Mapping[str, str]
    key: str = ""
    around: str = "%s"
    headers: Mapping[str, str] = field(default_factory=dict)

    def event(self, **fields: str) -> str:
        """Return the text of a body with one event; ``fields`` are JSON, or what is none."""
        told = {"name": '"x"', **fields}
        parts = [f'"{self.calls.get(name, name)}": {value}' for name, value in told.items()]
        return self.around % ("{" + ", ".join([self.begin, *parts]) + "}")

    def post(
        self, body: str | bytes, *, type: str = "application/json", path: str = "", **headers: str
    ) -> Any:
        """Post a whole body, to ``path`` or where events go."""
        client = Client(raise_request_exception=False, headers={"user-agent": FIREFOX})
        known = {"authorization": self.key} if self.key else {}
        sent = {**self.headers, **known, **headers}
        return client.post(path or self.path, _bytes(body), content_type=type, headers=sent)


def basic(credentials: str) -> str:
    return "Basic " + base64.b64encode(credentials.encode()).decode()


def is_taken(answer: Any) -> bool:
    """Whether all that was sent was accepted."""
    return answer.status_code == 200 and not answer.json().get("errors")


def _bytes(body: str | bytes) -> bytes:
    return body if isinstance(body, bytes) else body.encode()


SEGMENTS = {"name": "event", "data": "properties", "id": "userId", "time": "timestamp"}
TRACK = '"type": "person", "action": "event", "identifiers": {"anonymous_id": "a-1"}'

ENTRANCES = {
    "script": Entrance(
        path="/people/visit/",
        begin='"type": "track", "anonymous_id": "a-1"',
        calls={},
        around=MESSAGES,
    ),
    "segment": Entrance(
        path="/people/v1/track",
        begin='"anonymousId": "a-1"',
        calls=SEGMENTS,
        key=basic(f"{SECRET}:"),
    ),
    "segment-page": Entrance(
        path="/people/v1/batch",
        begin='"type": "track", "anonymousId": "a-1"',
        calls=SEGMENTS,
        key=basic(f"{PUBLIC}:"),
        around=BATCH,
        headers={"sec-fetch-site": "same-origin"},
    ),
    "track-1": Entrance(
        path="/people/api/v1/events",
        begin='"anonymous_id": "a-1"',
        calls={"time": "timestamp"},
        key=basic(f"{PUBLIC}:{SECRET}"),
    ),
    "track-2": Entrance(
        path="/people/api/v2/batch",
        begin=TRACK,
        calls={"data": "attributes", "time": "timestamp"},
        key=basic(f"{PUBLIC}:{SECRET}"),
        around=BATCH,
    ),
}
