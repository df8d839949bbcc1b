"""What strangers send is text on every page that shows it."""

from __future__ import annotations

import json
import re

import pytest
from django.urls import reverse

from identity_tracking.models import Activity, Person
from tests.admin.conftest import Staff
from tests.attacks.entrances import ENTRANCES
from tests.web import configure

pytestmark = pytest.mark.django_db

PAYLOADS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "<svg/onload=alert(1)>",
    "';alert(1)//",
    "{{7*7}}{% debug %}",
    "javascript:alert(1)",
    "<!--<script>",
    "\u2028alert(1)\u2029",
    "]]>",
    "&lt;script&gt;",
]
RUNS = re.compile(r"<(script>alert|img src=x|svg/onload|!--<script)|href=\"javascript:")
PLACES = {  # what one event or identify with a payload says
    "XSS-01": lambda text: {"type": "track", "name": text, "id": "u-9"},
    "XSS-02": lambda text: {"type": "identify", "id": "u-9", "data": {text: 1}},
    "XSS-03": lambda text: {"type": "identify", "id": "u-9", "data": {"first_name": text}},
    "XSS-04": lambda text: {"type": "page", "id": "u-9", "title": text},
    "XSS-05": lambda text: {"type": "page", "id": "u-9", "url": text},
    "XSS-06": lambda text: {"type": "page", "id": "u-9", "referrer": text},
    "XSS-07": lambda text: {"type": "identify", "id": text, "email": "a@shop.test"},
    "XSS-09": lambda text: {"type": "track", "name": "x", "id": "u-9"},
}


def addresses():
    """Return every page of the admin that shows what was sent."""
    for person in Person.objects.all()[:2]:
        yield reverse("admin:identity_tracking_person_change", args=[person.pk])
        yield reverse("admin:identity_tracking_person_delete", args=[person.pk])
    yield reverse("admin:identity_tracking_activity_change", args=[Activity.objects.newest()[0].pk])
    for model in ("person", "activity", "identifier", "conflict", "failedevent"):
        yield reverse(f"admin:identity_tracking_{model}_changelist")


@pytest.mark.parametrize(
    "says",
    [pytest.param(PLACES[one], marks=pytest.mark.case(one), id=one) for one in PLACES],
)
def test_what_strangers_send_is_shown_as_text(says, admin_user, settings):
    for text in PAYLOADS:
        message = {"message_id": text, "anonymous_id": "a-1", **says(text)}
        body = json.dumps({"site_id": "shop", "messages": [message]})
        agent = text.encode("ascii", "ignore").decode() if says is PLACES["XSS-09"] else "Firefox"
        answer = ENTRANCES["script"].post(body, **{"user-agent": agent})
        assert answer.status_code in {200, 400}
    configure(settings, ENABLED=False)  # or the staff's login were among what is shown
    staff = Staff()
    staff.force_login(admin_user)

    pages = [staff.get(address).content.decode() for address in addresses()]

    assert len(pages) >= 7
    assert [found[0] for page in pages for found in RUNS.finditer(page)] == []
