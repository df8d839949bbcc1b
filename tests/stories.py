"""Arbitrary messages about three ids, three emails and three browsers, at eight instants."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from identity_tracking.messages import microseconds
from tests.reference import Also, Name, Said
from tests.reference.said import DESCRIBING
from tests.saying import hour

IDS = ("u", "v", "w")
EMAILS = ("a@x.org", "b@x.org", "c@x.org")
BROWSERS = ("X", "Y", "Z")
ID_NAMES: tuple[Name, ...] = tuple(("id", one) for one in IDS)
EMAIL_NAMES: tuple[Name, ...] = tuple(("email", one) for one in EMAILS)
ANCHORS = (*ID_NAMES, *EMAIL_NAMES)
HOUR = microseconds(hour(1)) - microseconds(hour(0))
LIMIT = 2  # PEOPLE_PER_BROWSER: so few, that sets this small have kiosks
LOOK_BACK = 2 * HOUR

CLAIMING = ("identify", "identify", "identify", "identify", "form", "link")
TYPES = (*CLAIMING, "track", "page", "alias", "group", "relate")
WRITING = {"identify", "group", "relate"}

ids = st.sampled_from([None, *IDS])
emails = st.sampled_from([None, *["a@x.org"] * 3, *EMAILS])  # one is used more, and so fought
browsers = st.sampled_from([None, "X", *BROWSERS])  # over; of the browsers, too
values = st.sampled_from([1, 2, None])
writes = st.dictionaries(st.sampled_from(["plan", "city"]), values, max_size=2)
relations = st.dictionaries(
    st.sampled_from(["acme", "globex"]),
    st.tuples(st.booleans(), st.dictionaries(st.just("role"), values)),
    max_size=2,
)


def instants(last: int = 7) -> st.SearchStrategy[int]:
    return st.integers(0, last).map(lambda at: microseconds(hour(at)))


@st.composite
def messages(draw: st.DrawFn, types: tuple[str, ...] = TYPES) -> Said:
    """A message; another of the other source, or of the other trust, may have its id."""
    type = draw(st.sampled_from(types))
    id, email, browser = draw(ids), draw(emails), draw(browsers)
    trusted = draw(st.booleans())
    return Said(
        type=type,
        time=draw(instants()),
        message_id=f"m{draw(st.integers(0, 30))}",
        source=draw(st.sampled_from(["shop", "shop", "blog"])),
        trusted=trusted,
        email_trusted=trusted and draw(st.sampled_from([True, True, False])),
        id=id,
        email=email,
        anonymous_id=browser if browser or id or email else "X",
        also=draw(further_names(id, email)),
        previous=draw(st.sampled_from(BROWSERS)) if type == "alias" else None,
        restamped=type in {"page", "track", "group"} and draw(st.booleans()),
        attributes=tuple(draw(writes).items()) if type in DESCRIBING else (),
        relations=as_relations(draw(relations)) if type in WRITING else (),
    )


def further_names(id: str | None, email: str | None) -> st.SearchStrategy[tuple[Also, ...]]:
    """What else a message calls its person: nearly always nothing, and nothing above its head."""
    names = ANCHORS if id else EMAIL_NAMES if email else ()
    if not names:
        return st.just(())
    some = st.lists(st.sampled_from(names).map(Also), min_size=1, max_size=2, unique=True)
    return st.one_of([st.just(())] * 4 + [some.map(tuple)])


def as_relations(drawn: dict[str, tuple[bool, dict[str, Any]]]) -> tuple[Any, ...]:
    return tuple(
        (name, adds, tuple(given.items()) if adds else ()) for name, (adds, given) in drawn.items()
    )


def sets(max_size: int = 12, **drawn: Any) -> st.SearchStrategy[list[Said]]:
    """Messages of which no two are one."""
    return st.lists(messages(**drawn), min_size=1, max_size=max_size, unique_by=lambda one: one.key)


@st.composite
def deliveries(draw: st.DrawFn, /, **drawn: Any) -> list[list[Said]]:
    """Messages, some of them twice, in any order and in any batches."""
    said = draw(sets(**drawn))
    sent = draw(st.permutations([*said, *draw(st.lists(st.sampled_from(said), max_size=3))]))
    cuts = sorted(draw(st.sets(st.integers(1, len(sent)), max_size=len(sent))) | {0, len(sent)})
    return [list(sent[one:other]) for one, other in pairwise(cuts)]
