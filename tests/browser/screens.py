"""Every screen of the admin, on a site where everybody and everything is called hostile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.db.models import Model
from django.urls import reverse

from identity_tracking import merge
from identity_tracking.ingest.process import process
from identity_tracking.messages import Message, Relation, Type, object_ref
from identity_tracking.models import (
    Activity,
    Claim,
    Conflict,
    FailedEvent,
    Form,
    Identifier,
    MergeOperation,
    Person,
    SecretKey,
    Source,
    TrackedObject,
)
from identity_tracking.sources import make_key
from tests.admin.test_hostile_values import HOSTILE
from tests.factories import (
    START,
    ConflictFactory,
    FailedEventFactory,
    FormFactory,
    FormFieldFactory,
    SourceFactory,
)
from tests.saying import identify, message, page, person, relate, track

EMAIL = "<svg/onload=alert(1)>@evil.example"
LONG = HOSTILE[2]  # no other has as long a word
LISTED: tuple[type[Model], ...] = (
    Person,
    Identifier,
    MergeOperation,
    Activity,
    TrackedObject,
    Conflict,
    FailedEvent,
    Form,
    Source,
)
FILTERED: tuple[tuple[type[Model], dict[str, str]], ...] = (
    (Person, {"is": "lead"}),
    (Person, {"q": HOSTILE[0]}),
    (Person, {"attribute": "hostile 1", "value": HOSTILE[1], "object": f"company: {HOSTILE[0]}"}),
    (Activity, {"type": "page", "on": "2026-11"}),
    (Activity, {"source": "hostile"}),
    (Conflict, {"is": "settled"}),
)


def tell() -> Person:
    """Make somebody whose every part was sent by somebody hostile, on a shared browser."""
    told = {f"hostile {n}": value for n, value in enumerate(HOSTILE)}
    values = {**told, "first_name": HOSTILE[0], "last_name": HOSTILE[2], HOSTILE[1]: [HOSTILE]}
    browser, context = HOSTILE[2], {"page": {"url": HOSTILE[3], "title": HOSTILE[0]}}
    process([identify(id=HOSTILE[0], anonymous_id=browser, at=1, properties=values, trusted=True)])
    process([page(anonymous_id=browser, context=context, at=at) for at in (0, 2)])
    process([identify(id="other", anonymous_id=browser, email=EMAIL, at=3, properties=values)])
    process([track(id=HOSTILE[0], name=value, properties=told, at=4) for value in HOSTILE])
    process([identify(id=HOSTILE[0], properties=dict.fromkeys(told, "claimed"), at=5)])
    process([relate(HOSTILE[0], id=HOSTILE[0], role=HOSTILE[1], at=6)])
    process([_group(told, trusted=True), _group(dict.fromkeys(told, HOSTILE[1]))])
    process([identify(id=HOSTILE[0], anonymous_id=HOSTILE[7], at=7)])
    process([identify(email="lead@example.com"), page(anonymous_id=HOSTILE[8], context=context)])
    process([identify(id="gone", properties=values)])
    shown = person(id=HOSTILE[0])
    merge(shown, person(id="gone"), by=HOSTILE[0], reason=HOSTILE[0])
    _claim(HOSTILE[7]).void(by=HOSTILE[0], reason=HOSTILE[0])
    shared = Identifier.objects.get(value=browser)
    ConflictFactory(identifier=shown.anchor, other=shared, detail=HOSTILE[0])
    mark = {"settled_at": START, "settled_by": HOSTILE[0], "note": HOSTILE[0]}
    ConflictFactory(identifier=shown.anchor, other=shared, detail=HOSTILE[1], **mark)
    FailedEventFactory(payload=f'{{"type": "{HOSTILE[2]}"}}', source=HOSTILE[0])
    form = FormFactory(form_id=HOSTILE[1], name=HOSTILE[0], url=HOSTILE[7])
    FormFieldFactory(form=form, name=HOSTILE[2], attribute=HOSTILE[3])
    make_key(SourceFactory(site_id="hostile", name=HOSTILE[0]), HOSTILE[1])
    return shown


def _group(traits: dict[str, str], **rest: Any) -> Message:
    relations = (Relation(object=object_ref("company", HOSTILE[0])),)
    return message(Type.GROUP, id=HOSTILE[0], relations=relations, properties=traits, at=6, **rest)


def addresses(shown: Person) -> list[str]:
    """Return the address of every list, every sort of page, and all that staff may do."""
    front = reverse("admin:app_list", args=["identity_tracking"])
    glance = reverse("admin:identity_tracking_overview")
    return [front, glance, *_lists(), *_pages(shown)]


def _lists() -> Iterator[str]:
    for model in LISTED:
        yield _address(model, "changelist")
    for model, query in FILTERED:
        yield _address(model, "changelist", query=query)


def _pages(shown: Person) -> Iterator[str]:
    claim, voided, operation = _claim(HOSTILE[2]), _claim(HOSTILE[7]), MergeOperation.objects.get()
    other, visitor = person(id="other"), Identifier.objects.get(value=HOSTILE[8])
    for row in (shown, person(email="lead@example.com"), visitor, claim.weak, operation):
        yield _address(type(row), "change", row)
    for activity in (Activity.objects.earliest("timestamp"), Activity.objects.get(name=LONG)):
        yield _address(Activity, "change", activity)
    for model in (TrackedObject, FailedEvent, Form):
        yield _address(model, "change", model._default_manager.earliest("pk"))
    yield _address(Person, "change", shown, query={"name": HOSTILE[0]})
    yield from _conflicts()
    yield from _sources()
    yield _address(Person, "other", shown, query={"q": "other"})
    yield _address(Person, "merge", shown, other)
    for deed in ("export", "delete", "erase"):
        yield _address(Person, deed, shown)
    yield _address(MergeOperation, "undo", operation)
    yield _address(Claim, "void", claim)
    yield _address(Claim, "restore", voided)


def _conflicts() -> Iterator[str]:
    settled = Conflict.objects.settled().get()
    unsettled = Conflict.objects.exclude(pk=settled.pk).earliest("found_at")
    for conflict, deed in ((unsettled, "settle"), (settled, "reopen")):
        yield _address(Conflict, "change", conflict)
        yield _address(Conflict, deed, conflict)


def _sources() -> Iterator[str]:
    source, key = Source.objects.get(), SecretKey.objects.get()
    yield _address(Source, "add")
    for screen in ("change", "key", "history"):
        yield _address(Source, screen, source)
    yield _address(Source, "revoke", source, key)


def _claim(weak: str) -> Claim:
    return Claim.objects.filter(weak__value=weak).earliest("pk")


def _address(
    model: type[Model], screen: str, *rows: Model, query: dict[str, str] | None = None
) -> str:
    name = f"admin:identity_tracking_{model._meta.model_name}_{screen}"
    return reverse(name, args=[row.pk for row in rows], query=query)
