"""Whatever visitors send is looked at by staff: it must stay text."""

from __future__ import annotations

from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest
from django.urls import reverse

from identity_tracking.identifiers import Kind
from identity_tracking.messages import (
    RELATIONSHIPS,
    ObjectRef,
    Relation,
    Type,
    relations_as_sent,
)
from identity_tracking.models import Conflict, MergeOperation, Source
from tests.factories import (
    START,
    ActivityFactory,
    ClaimFactory,
    ConflictFactory,
    FailedEventFactory,
    FormFactory,
    FormFieldFactory,
    IdentifierFactory,
    ObjectRelationshipFactory,
    OwnershipFactory,
    PersonFactory,
    SourceFactory,
    TrackedObjectFactory,
)

pytestmark = pytest.mark.django_db

HOSTILE = [  # at most 64 characters: the shortest column that holds any
    "<script>alert(1)</script>'\"><img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script><!--<script>]]>",
    "<svg/onload=alert(1)>';alert(1)//&lt;script&gt;",
    "{{7*7}}{% debug %}%s %(name)s {0} {name}\u2028alert(1)\u2029",
    " javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    'https://x/"onmouseover="alert(1)',
    "https://x/ <script>alert(1)</script>",
    "//evil.example/",
]
SAFE = ("/admin/", "/static/", "?", "#", "http://", "https://")


class Page(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self, html):
        super().__init__()
        self.links, self.handlers, self.scripts = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in {"href", "src", "action"}]
        self.handlers += [
            name for name, _ in attributes if name.startswith("on") or name == "style"
        ]
        if tag in {"script", "style"}:  # inline, neither has an address
            self.scripts.append(dict(attributes).get("src"))


def screens(staff, value):
    """Read every screen of a site on which everything is called ``value``."""
    identifier = IdentifierFactory(value=value)
    anchor = IdentifierFactory(kind=Kind.ID, value=value)
    email = IdentifierFactory(kind=Kind.EMAIL, value=value)
    told = {"at": value, "source": value, "message_id": value, "value": value}
    person = PersonFactory(
        anchor=anchor,
        user_id=value,
        email=value,
        attributes={
            value: value,
            "first_name": value,
            "long": value * 50,
            "deep": {value: [value]},
        },
        provenance={value: told, "long": told},
        claimed={value: told},
    )
    PersonFactory(anchor=email, user_id=None, email=value, root=person)
    OwnershipFactory(person=person, identifier=identifier)
    page = {"url": value, "title": value, "path": value, "referrer": value}
    relation = Relation(object=ObjectRef(value, value), attributes={value: value})
    properties = {value: value, "l": [value], RELATIONSHIPS: relations_as_sent([relation])}
    shared = {"name": value, "source": value, "properties": properties}
    context = {"page": page, "user_agent": value, value: value}
    for kind in Type:
        ActivityFactory(identifier=identifier, type=kind, context=context, **shared)
        activity = ActivityFactory(
            identifier=anchor, type=kind, context=context, message_id=f"{kind}{value}", **shared
        )
    ClaimFactory(weak=identifier, target=anchor, activity=activity)
    write = [value, 0, value, value]
    registers = {"t": {"+": write}, "a": {value: {"t": write, "u": [f"not {value}", *write[1:]]}}}
    tracked = TrackedObjectFactory(
        object_type=value, object_id=value, attributes={value: value}, registers=registers
    )
    ObjectRelationshipFactory(identifier=anchor, object=tracked, attributes={value: value})
    ObjectRelationshipFactory(identifier=identifier, object=tracked, attributes={value: value})
    conflict = ConflictFactory(identifier=anchor, other=identifier, detail=value)
    Conflict.objects.filter(pk=conflict.pk).settle(by=value, note=value)
    failed = FailedEventFactory(code=value[:32], payload=value, source=value)
    form = FormFactory(form_id=value, name=value, url=value, source=value)
    FormFieldFactory(form=form, name=value, attribute=value)
    source = SourceFactory(name=value, site_id=value, allowed_origins=value)
    joined = PersonFactory(user_id=value[:-1], attributes={value: value, "name": value})
    sides = {"primary": person, "secondary": joined}
    MergeOperation.objects.create(**sides, at=START, by=value, reason=value)
    rows = {
        "mergeoperation": MergeOperation.objects.get(),
        "person": person,
        "identifier": identifier,
        "activity": activity,
        "trackedobject": tracked,
        "conflict": conflict,
        "failedevent": failed,
        "form": form,
        "source": source,
    }
    for model, row in rows.items():
        yield staff.read(model)
        yield staff.read(model, q=value)
        yield staff.read(model, attribute=value, value=value, object=value, on=value)
        yield staff.read(model, **{"is": value, "seen": value, "code": value})
        yield staff.read(model, row)
        yield staff.read(model, row, type=value, page=value, name=value)
    ActivityFactory(name=value, context=context, type=Type.PAGE, timestamp=datetime.now(UTC))
    for deed, keys in deeds(person, activity).items():
        address = reverse(f"admin:identity_tracking_{deed}", args=keys, query={"q": value[:-1]})
        answer = staff.get(address)
        assert answer.status_code == 200
        yield answer.content.decode()


def deeds(person, activity):
    """Return every page that asks before something is done, by its name."""
    claim, operation = activity.claims.get(), MergeOperation.objects.get()
    other = PersonFactory(attributes=person.attributes)
    return {
        "person_other": [other.pk],
        "person_merge": [other.pk, person.pk],
        "person_delete": [person.pk],
        "person_erase": [person.pk],
        "person_export": [person.pk],
        "mergeoperation_undo": [operation.pk],
        "claim_void": [claim.pk],
        "claim_restore": [claim.pk],
        "conflict_settle": [Conflict.objects.get().pk],
        "conflict_reopen": [Conflict.objects.get().pk],
        "source_key": [Source.objects.get().pk],
        "overview": [],
    }


@pytest.mark.case("XSS-01", "XSS-02", "XSS-03", "XSS-04", "XSS-05", "XSS-06", "XSS-07", "XSS-09")
@pytest.mark.parametrize("value", HOSTILE)
def test_what_visitors_send_stays_text_on_every_screen(staff, value, settings):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "SUPPRESSION_KEY": "k" * 32}
    for html in screens(staff, value):
        page = Page(html)

        assert page.handlers == []
        assert [link for link in page.links if not is_safe(link)] == []
        assert [source for source in page.scripts if not (source or "").startswith("/")] == []


def is_safe(link):
    return link in {None, "", "/", "."} or link.startswith(SAFE)


def test_a_web_address_is_a_link_that_tells_nothing(staff):
    url = "https://shop.example/a?b=1&c=<script>"
    activity = ActivityFactory(context={"page": {"url": url.replace("<script>", "2")}})

    html = staff.read("activity", activity)

    assert 'href="https://shop.example/a?b=1&amp;c=2" rel="noopener nofollow noreferrer"' in html


@pytest.mark.case("JSON-34")
def test_marks_that_reorder_text_are_made_visible(staff):
    activity = ActivityFactory(name="a\u202egnp.exe", identifier=PersonFactory().anchor)

    for html in (staff.read("activity"), staff.read("person", activity.person)):
        assert "a\\u202egnp.exe" in html
