"""Recorded traffic, sent to the site of the tests as if it came now, with that site's own keys."""

from __future__ import annotations

import base64
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import time_machine
from django.test import Client

from identity_tracking.models import FailedEvent, Person
from tests.captures.exchanges import Exchange
from tests.rows import Rows, count

PREFIX = "/people"
SOURCE, SECRET = "shop", "test-key"
WRITE_KEY = re.compile(rb'("writeKey": ?")[^"]*')
PROJECT = re.compile(r"(/projects/)[^/]+")
OURS = {"authorization", "content-length", "content-type", "cookie"}  # headers set here


@dataclass(frozen=True, kw_only=True, slots=True)
class Replayed:
    """What came of a recording. ``left_out``: what was refused when it was recorded."""

    statuses: Counter[int]
    left_out: int
    rows: Rows
    failed: Counter[str]

    def __str__(self) -> str:
        answers = ", ".join(f"{number} × {status}" for status, number in self.statuses.items())
        told = (
            f"{self.statuses.total()} requests ({answers}), {self.left_out} left out: {self.rows}"
        )
        reasons = ", ".join(f"{number} × {code}" for code, number in self.failed.items())
        return f"{told}; failed: {reasons}" if reasons else told


def replay(exchanges: Iterable[Exchange], *, refused: bool = False) -> Replayed:
    """Send each at the time when it was recorded.

    What was refused then its client has sent again, so it is left out, unless ``refused``.
    """
    before, statuses, left_out = count(), Counter[int](), 0
    for one in exchanges:
        if refused or one.is_taken:
            statuses[send(one)] += 1
        else:
            left_out += 1
    codes = Counter(FailedEvent.objects.values_list("code", flat=True))
    return Replayed(statuses=statuses, left_out=left_out, rows=count() - before, failed=codes)


def send(one: Exchange) -> int:
    """Send one request, and return the status that answers it."""
    path = PROJECT.sub(rf"\1{SOURCE}", one.path)
    path = path if path.startswith(f"{PREFIX}/") else PREFIX + path
    with time_machine.travel(one.at):
        answer = Client(raise_request_exception=False).generic(
            one.method,
            path,
            WRITE_KEY.sub(rb"\1" + SOURCE.encode(), one.body),
            content_type=one.header("content-type") or "application/octet-stream",
            headers=_headers(one),
            RAW_URI=path,
        )
    return answer.status_code


def people() -> str:
    """Return a line for each person: who they are, what they have and did."""
    return "\n".join(_line(person) for person in Person.objects.standing().order_by("first_seen"))


def _headers(one: Exchange) -> Mapping[str, Any]:
    kept = {name: value for name, value in one.headers.items() if name.lower() not in OURS}
    scheme = one.header("authorization").partition(" ")[0]
    if not scheme:
        return kept
    key = _key(one)
    basic = base64.b64encode(key.encode()).decode()
    return {**kept, "Authorization": f"{scheme} {basic if scheme == 'Basic' else key.rstrip(':')}"}


def _key(one: Exchange) -> str:
    """Return the key that stands for the recorded one: a page has the public one alone."""
    if "/api/" in one.path:
        return f"{SOURCE}:{SECRET}"
    return f"{SOURCE}:" if one.header("origin") else f"{SECRET}:"


def _line(person: Person) -> str:
    called = " ".join(filter(None, (person.user_id, person.email)))
    did = Counter(one.name or str(one.type) for one in person.activities)
    related = [str(one.object) for one in person.relationships]
    return f"  {called}: {person.attributes}; {dict(did)}; {related}"
