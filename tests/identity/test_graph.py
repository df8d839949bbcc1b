"""The package against the reference model, after every batch of arbitrary sets of messages.

``GRAPHS=10000 pytest tests/identity/test_graph.py`` tries that many sets.
"""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import transaction
from hypothesis import event, given, settings
from hypothesis import strategies as st

from identity_tracking.conf import conf
from identity_tracking.identifiers import Kind, Ref, names
from identity_tracking.ingest.process import process
from identity_tracking.messages import Message, Relation, Type, microseconds, object_ref
from identity_tracking.models import Activity, Conflict, ObjectRelationship, Ownership, Person
from tests.reference import Graph, Reference, Said
from tests.saying import hour

IDS = ("u", "v", "w")
EMAILS = ("a@x.org", "b@x.org", "c@x.org")
BROWSERS = ("X", "Y", "Z")
LIMIT = 2  # PEOPLE_PER_BROWSER: so few, that sets this small have kiosks
EXAMPLES = int(os.environ.get("GRAPHS", "300"))

values = st.sampled_from([1, 2, None])
writes = st.dictionaries(st.sampled_from(["plan", "city"]), values, max_size=2)
relations = st.dictionaries(
    st.sampled_from(["acme", "globex"]),
    st.tuples(st.booleans(), st.dictionaries(st.just("role"), values)),
    max_size=2,
)


@st.composite
def said(draw: st.DrawFn, number: int) -> Said:
    type = draw(
        st.sampled_from(["identify", "identify", "identify", "track", "page", "alias", "relate"])
    )
    wild = type in {"identify", "relate"}
    trusted = draw(st.booleans())
    id = draw(st.sampled_from([None, *IDS]))
    email = draw(st.sampled_from([None, *EMAILS]))
    browser = draw(st.sampled_from([None, *BROWSERS]))
    return Said(
        type=type,
        time=microseconds(hour(draw(st.integers(0, 7)))),
        message_id=f"m{number}",
        trusted=trusted,
        email_trusted=trusted and draw(st.booleans()),
        id=id,
        email=email,
        anonymous_id=browser if browser or id or email else "X",
        previous=draw(st.sampled_from(BROWSERS)) if type == "alias" else None,
        attributes=tuple(draw(writes).items()) if type == "identify" else (),
        relations=tuple(
            (name, adds, tuple(given.items()) if adds else ())
            for name, (adds, given) in draw(relations).items()
        )
        if wild
        else (),
    )


@st.composite
def deliveries(draw: st.DrawFn) -> list[list[Said]]:
    """Messages, some of them twice, in any order and in any batches."""
    size = draw(st.integers(1, 12))
    messages = [draw(said(number)) for number in range(size)]
    sent = draw(
        st.permutations([*messages, *draw(st.lists(st.sampled_from(messages), max_size=3))])
    )
    cuts = sorted(draw(st.sets(st.integers(1, len(sent)), max_size=len(sent))) | {0, len(sent)})
    return [list(sent[one:other]) for one, other in pairwise(cuts)]


def as_message(one: Said) -> Message:
    at = hour(0) + timedelta(microseconds=one.time - microseconds(hour(0)))
    return Message(
        type=Type(one.type),
        names=names(id=one.id, email=one.email, anonymous_id=one.anonymous_id),
        source=one.source,
        message_id=one.message_id,
        timestamp=at,
        received_at=at,
        trusted=one.trusted,
        email_trusted=one.email_trusted,
        properties=dict(one.attributes),
        relations=tuple(
            Relation(object=object_ref("company", name), present=adds, attributes=dict(given))
            for name, adds, given in one.relations
        ),
        previous=Ref(Kind.ANONYMOUS_ID, one.previous) if one.previous else None,
    )


def name(person: Person | None):
    return person and (("id", person.user_id) if person.user_id else ("email", person.email))


def kept() -> Graph:
    """What the package's public interface says of the people in the database."""
    graph = Graph()
    for activity in Activity.objects.with_person():
        key = activity.source, activity.trusted, activity.message_id
        graph.owner[key] = name(activity.person)
    for person in Person.objects.standing():
        one = name(person)
        graph.people.add(one)
        graph.email[one] = person.email
        graph.attributes[one] = person.attributes
        graph.claimed[one] = {key: told["value"] for key, told in person.claimed.items()}
    anchors = {person.pk: name(person) for person in Person.objects.all()}
    graph.relationships.update(defaultdict(dict))
    for row in ObjectRelationship.objects.select_related("identifier", "object"):
        holder = anchors.get(row.identifier_id, ("anonymous_id", row.identifier.value))
        graph.relationships.setdefault(holder, {})[row.object.object_id] = row.attributes
    for conflict in Conflict.objects.select_related("identifier"):
        graph.conflicts.add((conflict.code, conflict.identifier.value))
    return graph


def assert_same(reference: Reference) -> None:
    wanted, have = reference.graph(), kept()
    assert have.owner == wanted.owner
    assert have.people == wanted.people
    assert have.email == wanted.email
    assert have.attributes == wanted.attributes
    assert have.claimed == wanted.claimed
    assert have.relationships == {who: held for who, held in wanted.relationships.items() if held}
    assert have.conflicts == wanted.conflicts


def assert_sound(reference: Reference) -> None:
    """Histories hold each activity once, ownership is canonical, nobody is seen wrongly."""
    owner = reference.graph().owner
    for person in Person.objects.standing():
        mine = {(one.source, one.trusted, one.message_id) for one in person.activities}
        assert mine == {key for key, who in owner.items() if who == name(person)}
        assert len(mine) == person.activities.count()
        times = [one.timestamp for one in person.activities]
        if times:
            assert person.first_seen <= min(times)
            assert person.last_seen >= max(times) - timedelta(seconds=conf.LAST_SEEN_EVERY)
    rows = list(Ownership.objects.order_by("identifier", "since"))
    for one, other in pairwise(rows):
        if one.identifier_id == other.identifier_id:
            assert one.until <= other.since
            same = (one.person_id, one.after_id) == (other.person_id, other.after_id)
            assert not (same and one.until == other.since)


@contextmanager
def undone() -> Iterator[None]:
    """Leave the database as it was."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.mark.django_db
@given(deliveries())
@settings(max_examples=EXAMPLES, report_multiple_bugs=False)
def test_the_graph_is_what_the_rules_say_after_every_batch(deliveries):
    reference = Reference([], people_per_browser=LIMIT)
    told = []
    with undone():
        for batch in deliveries:
            process([as_message(one) for one in batch])
            told += batch
            reference = Reference(told, people_per_browser=LIMIT)
            assert_same(reference)
        assert_sound(reference)
    tell_what_was_tried(reference, told)


def tell_what_was_tried(reference: Reference, told: list[Said]) -> None:
    claims = [one for one in told if one.type in {"identify", "alias"}]
    if any(one.time > other.time for one, other in pairwise(claims)):
        event("a late claim")
    browsers = reference.mentioned("anonymous_id")
    if any(len({who for _, who in reference.browser_people(one)}) > 1 for one in browsers):
        event("a contested browser")
    if any(reference.is_kiosk(one) for one in browsers):
        event("a kiosk")
    for email in reference.mentioned("email"):
        counting = {id for _, id in reference.counting_claims(email)}
        if len({is_firm for _, _, is_firm in reference.email_claims(email)}) > 1:
            event("an email with soft and firm claims")
        if {id for _, id, _ in reference.email_claims(email)} - counting:
            event("a soft claim not counted")
        if len(counting) > 1:
            event("an email of two ids")


@pytest.fixture(autouse=True)
def _small_kiosks(settings):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "PEOPLE_PER_BROWSER": LIMIT}
