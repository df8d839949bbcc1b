from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from uuid import RFC_4122, UUID

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from identity_tracking.exceptions import InvalidMessage
from identity_tracking.identifiers import Kind, Ref, names
from identity_tracking.messages import (
    EPOCH,
    Message,
    ObjectRef,
    Relation,
    Type,
    clean_message_id,
    microseconds,
    moment,
    new_message_id,
    object_ref,
    relations,
    relations_as_sent,
    stamp,
)
from tests.saying import alias, identify, message, page, relate, track

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
UNIX = 1_793_620_800  # NOON


def code_of(function, *args, **kwargs):
    with pytest.raises(InvalidMessage) as raised:
        function(*args, **kwargs)
    return raised.value.code


# Time


@pytest.mark.parametrize(
    "said",
    [
        NOON,
        NOON.astimezone(timezone(timedelta(hours=5, minutes=30))),
        UNIX,
        float(UNIX),
        Decimal(UNIX),
        UNIX * 1_000,
        str(UNIX),
        f"{UNIX}000",
        "2026-11-02T12:00:00Z",
        "2026-11-02T12:00:00.000Z",
        "2026-11-02 13:00:00+01:00",
        " 2026-11-02T12:00:00 ",
    ],
    ids=repr,
)
def test_a_time_is_read_in_every_form_that_clients_send(said):
    assert moment(said) == NOON


def test_a_time_read_is_in_utc():
    read = moment("2026-11-02T13:00:00+01:00")

    assert read is not None
    assert read.tzinfo is UTC


def test_a_fraction_of_a_second_counts_to_the_microsecond():
    assert moment(UNIX + 0.25) == moment(UNIX * 1_000 + 250) == NOON + timedelta(seconds=0.25)


def test_a_small_number_may_be_said_to_count_milliseconds():
    assert moment(1_500, unit=1_000) == EPOCH + timedelta(seconds=1.5)


@pytest.mark.parametrize("said", [None, ""])
def test_no_time_is_none(said):
    assert moment(said) is None


@pytest.mark.parametrize(
    "said",
    [
        datetime(2026, 11, 2),  # noqa: DTZ001
        date(2026, 11, 2),
        "noon",
        "nan",
        "inf",
        "2026-13-01",
        "2026-11-02T25:00:00",
        "0001-01-01T00:00:00+23:00",
        float("nan"),
        float("-inf"),
        1e300,
        10**400,
        "9" * 5_000,
        Decimal("NaN"),
        Decimal("Infinity"),
        True,
        [],
        {},
        b"1",
        1j,
        "\ud800",
    ],
    ids=lambda said: repr(said)[:20] if said != 10**400 else "10**400",
)
def test_what_is_no_time_is_refused(said):
    assert code_of(moment, said) == "invalid_timestamp"


def test_a_message_without_a_time_is_of_when_it_came():
    assert stamp(None, NOON) == NOON


def test_a_message_from_the_past_keeps_its_time():
    assert stamp(NOON - timedelta(days=400), NOON) == NOON - timedelta(days=400)


def test_a_message_from_the_future_is_of_when_it_came():
    assert stamp(NOON + timedelta(seconds=1), NOON) == NOON


def test_a_clock_that_is_wrong_is_corrected_by_when_it_sent():
    wrong = NOON + timedelta(days=30)

    assert stamp(wrong - timedelta(minutes=5), NOON, sent_at=wrong) == NOON - timedelta(minutes=5)


def test_a_message_made_after_it_was_sent_is_of_when_it_came():
    assert stamp(NOON, NOON, sent_at=NOON - timedelta(hours=1)) == NOON


def test_a_browser_is_believed_only_so_far_back():
    oldest = timedelta(days=2)

    assert stamp(NOON - timedelta(days=3), NOON, oldest=oldest) == NOON - oldest


def test_no_message_is_older_than_unix_time():
    assert stamp(datetime(1066, 10, 14, tzinfo=UTC), NOON) == EPOCH


def test_two_absurd_clocks_are_no_error():
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)

    assert stamp(first, NOON, sent_at=last) == EPOCH


aware = st.datetimes(timezones=st.just(UTC))
received = st.datetimes(min_value=datetime(1970, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
maybe_oldest = st.none() | st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=365))


@given(st.none() | aware, received, st.none() | aware, maybe_oldest)
def test_a_message_is_never_later_than_it_came(said, received_at, sent_at, oldest):
    stamped = stamp(said, received_at, sent_at=sent_at, oldest=oldest)

    assert EPOCH <= stamped <= received_at


@given(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.datetimes()
    | st.datetimes(timezones=st.timezones())
    | st.lists(st.integers())
)
def test_whatever_is_said_is_a_time_or_refused(said):
    with suppress(InvalidMessage):
        read = moment(said)
        assert read is None or read.tzinfo is UTC


@given(aware)
def test_microseconds_lose_nothing(at):
    assert EPOCH + timedelta(microseconds=microseconds(at)) == at


# Message ids


def test_a_message_id_is_kept():
    assert clean_message_id(" m-1 ") == "m-1"


@pytest.mark.parametrize("absent", [None, "", "  "])
def test_a_message_without_an_id_gets_one(absent):
    assert UUID(clean_message_id(absent)).version == 7


def test_a_message_id_of_more_than_100_characters_is_refused():
    assert clean_message_id("m" * 100) == "m" * 100
    assert code_of(clean_message_id, "m" * 101) == "message_id_too_long"


def test_a_new_message_id_begins_with_the_time():
    one = UUID(new_message_id())

    assert (one.version, one.variant) == (7, RFC_4122)
    assert abs((one.int >> 80) / 1_000 - datetime.now(UTC).timestamp()) < 60


def test_message_ids_of_one_millisecond_stand_as_they_were_made():
    with time_machine.travel(NOON, tick=False):
        made = [new_message_id() for _ in range(100)]

    assert made == sorted(set(made))


# Relations

ACME = {
    "identifiers": {"object_type_id": "1", "object_id": "acme"},
    "relationship_attributes": {"role": "admin"},
}
BLOCK = {"action": "add_relationships", "relationships": [ACME]}
READ = (Relation(object=ObjectRef("1", "acme"), attributes={"role": "admin"}),)


@pytest.mark.parametrize(
    "sent",
    [
        [BLOCK],
        (BLOCK,),
        BLOCK,
        {"0": BLOCK},
        {**BLOCK, "relationships": {"0": ACME}},
        {**BLOCK, "relationships": ACME},
        {"0": {**BLOCK, "relationships": {"0": ACME}}},
        {"relationships": [ACME]},
    ],
    ids=[
        "a list",
        "a tuple",
        "one object",
        "keyed by index",
        "relationships keyed by index",
        "one relationship",
        "both keyed by index",
        "no action",
    ],
)
def test_relationships_are_read_in_every_shape_that_clients_send(sent):
    assert relations(sent) == READ


def test_no_relationships_are_none():
    assert relations(None) == relations([]) == relations({}) == ()


@pytest.mark.parametrize("action", ["remove_relationships", "delete_relationships"])
def test_a_removal_has_no_attributes(action):
    (relation,) = relations([{"action": action, "relationships": [ACME]}])

    assert relation == Relation(object=ObjectRef("1", "acme"), present=False)


@pytest.mark.parametrize("action", ["", None, "upsert", 1, []], ids=repr)
def test_an_action_that_is_not_known_is_refused_and_removes_nothing(action):
    sent = [{"action": action, "relationships": [ACME]}]

    assert code_of(relations, sent) == "invalid_relationships"


@pytest.mark.parametrize("wrong", ["acme", 1, ["acme"], {"0": "acme"}, [[BLOCK]]], ids=repr)
def test_relationships_of_another_shape_are_refused(wrong):
    assert code_of(relations, wrong) == "invalid_relationships"


@pytest.mark.parametrize(
    "identifiers",
    [None, "acme", {}, {"object_type_id": "1"}, {"object_id": "acme"}, {"object_type_id": " "}],
    ids=repr,
)
def test_a_relationship_names_its_object(identifiers):
    sent = [{**BLOCK, "relationships": [{"identifiers": identifiers}]}]

    assert code_of(relations, sent) == "invalid_object"


def test_relationships_are_kept_as_they_can_be_read_again():
    removal = Relation(object=object_ref("1", "globex"), present=False)

    assert relations(relations_as_sent([*READ, removal])) == (*READ, removal)


def test_objects_of_two_types_never_collide():
    assert object_ref("a", "bc").key != object_ref("ab", "c").key


# Messages


def test_a_message_that_names_nobody_has_no_head():
    assert code_of(lambda: page().head) == "no_identifier"


def test_a_message_mentions_the_browser_that_it_claims():
    said = alias(id="u", previous="X")

    assert said.refs == (Ref(Kind.ID, "u"), Ref(Kind.ANONYMOUS_ID, "X"))


def test_a_message_is_known_by_source_trust_and_id():
    said = page(anonymous_id="X", message_id="m")

    assert said.key == page(anonymous_id="Y", at=9, message_id="m").key
    assert said.key != page(anonymous_id="X", message_id="n").key
    assert said.key != page(anonymous_id="X", message_id="m", trusted=True).key
    assert said.key != page(anonymous_id="X", message_id="m", source="app").key


def test_messages_stand_in_order_of_time_before_anything_else():
    first, last = page(at=1, message_id="b"), page(at=2, message_id="a", source="a")

    assert first.order < last.order
    assert page(at=1, message_id="a", trusted=True).order < first.order


def test_only_an_identify_writes_all_that_it_says_as_attributes():
    assert identify(id="u", properties={"plan": "pro"}).attributes == {"plan": "pro"}
    assert track(id="u", properties={"plan": "pro"}, assigns={"plan": "plan"}).attributes == {}


def test_a_form_writes_what_it_assigns():
    said = {"fname": "Ada", "comment": "Hello"}
    form = message(Type.FORM, id="u", properties=said, assigns={"first_name": "fname", "x": "gone"})

    assert form.attributes == {"first_name": "Ada"}
    assert form.writes


@pytest.mark.parametrize(
    ("said", "writes"),
    [
        (identify(id="u"), False),
        (identify(email="e@x.org"), False),
        (identify(id="u", email="e@x.org"), True),
        (identify(anonymous_id="X", properties={"plan": "pro"}), True),
        (relate("acme", id="u"), True),
        (track(id="u", properties={"plan": "pro"}), False),
        (track(id="u", email="e@x.org", relations=READ), False),
        (page(id="u", relations=READ), False),
    ],
    ids=["id", "email", "both", "attributes", "relate", "track", "track relating", "page relating"],
)
def test_a_page_or_track_writes_nothing_lasting(said, writes):
    assert said.writes is writes


def test_a_message_cannot_be_changed():
    with pytest.raises(AttributeError):
        page(anonymous_id="X").name = "other"  # type: ignore[misc]


def test_a_message_is_made_of_defaults_but_for_who_when_and_what():
    said = Message(
        type=Type.PAGE,
        names=names(id="u"),
        source="shop",
        message_id="m",
        timestamp=NOON,
        received_at=NOON,
    )

    assert (said.trusted, said.properties, said.relations, said.previous) == (False, {}, (), None)
