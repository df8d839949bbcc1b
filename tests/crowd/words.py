"""What each of a crowd says: drawn at random, and drawn again the same from the same seed.

Identifiers come in families of ten that share devices and emails. A message is drawn from the
plan and its id alone: so whoever knows its id can repeat it, or tell it afterwards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from identity_tracking.messages import microseconds
from tests.reference import Also, Name, Said
from tests.reference.said import DESCRIBING
from tests.saying import hour

FAMILY = 10  # identifiers: 3 ids, 3 emails, 4 browsers
STRANGERS = 0.01  # of names: of somebody of another family; rarer where much is said
REPEATS = 0.15  # of calls: with what another member sends, too
BATCHES = 0.04  # of calls: with several messages
TYPES = {  # how often, of 100
    "page": 38,
    "track": 38,
    "identify": 12,
    "form": 3,
    "alias": 3,
    "relate": 4,
    "group": 2,
}
CHANGING = TYPES.keys() - {"page", "track"}
ANCHORS = {"id", "email"}

Change: TypeAlias = tuple[str, bool, tuple[tuple[str, int | None], ...]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What ``members`` do, in as many ``operations`` each."""

    seed: str
    members: int
    operations: int
    identifiers: int

    @property
    def rarity(self) -> float:
        """How much rarer than in a short story what makes people one is in this one.

        Otherwise everybody would end up as one person, of whom nothing can be misplaced.
        """
        return max(1.0, self.members * self.operations / (8 * self.identifiers))

    def deed(self, member: int, number: int) -> str:
        """What a member does at its turn ``number``: rarely "merge" or "undo", else "say"."""
        shares = [1, 1, 100 * self.rarity]
        return self._draw(member, number).choices(["merge", "undo", "say"], shares)[0]

    def batch(self, member: int, number: int) -> list[str]:
        """The ids of the messages to send, some of which another member sends as well."""
        random = self._draw(member, number, "batch")
        sent = self._own(member, number)
        if random.random() < REPEATS:
            about = min(max(number + random.randint(-3, 3), 0), self.operations - 1)
            sent += self._own(random.randrange(self.members), about)
        return random.sample(sent, len(sent))

    def pair(self, member: int, number: int) -> tuple[Name, Name, int]:
        """Two anchors to merge, and when that is said."""
        family = self._family(self._draw(member, number, "pair"))
        anchors: list[Name] = [("id", one) for one in family.ids]
        anchors += [("email", one) for one in family.emails]
        primary, secondary = family.random.sample(anchors, 2)
        return primary, secondary, moment(family.random, number)

    def said(self, message_id: str) -> Said:
        """Draw the message of that id."""
        random = self._draw(message_id)
        type = random.choices(list(TYPES), list(TYPES.values()))[0]
        family = self._family(random)
        trusted = random.random() < 0.4
        called = family.names(0.7 if type in CHANGING else 0.4)
        return Said(
            type=type,
            time=moment(random, int(message_id.split(".")[1])),
            message_id=message_id,
            trusted=trusted,
            email_trusted=trusted and random.random() < 0.5,
            previous=family.one(family.browsers) if type == "alias" else None,
            attributes=attributes(random) if type in DESCRIBING else (),
            relations=relations(random) if type in {"relate", "group"} else (),
            restamped=type not in CHANGING and random.random() < 0.1,
            also=family.also(called) if random.random() < 0.05 / self.rarity else (),
            **called,
        )

    def _own(self, member: int, number: int) -> list[str]:
        """The ids of the messages that a member is meant to send: one, or up to 20."""
        random = self._draw(member, number, "own")
        size = random.randint(2, 20) if random.random() < BATCHES else 1
        return [f"{member}.{number}.{index}" for index in range(size)]

    def _family(self, random: Random) -> Family:
        return Family(random, self.identifiers // FAMILY, STRANGERS / self.rarity)

    def _draw(self, *what: object) -> Random:
        return Random(f"{self.seed} {what}")  # noqa: S311


class Family:
    """People who share devices and emails, one family of ``number``."""

    def __init__(self, random: Random, number: int, strangers: float) -> None:
        self.random = random
        self.number = number
        self.strangers = strangers
        self.own = random.randrange(self.number)
        self.ids = [f"u{self.own}-{one}" for one in range(3)]
        self.emails = [f"e{self.own}-{one}@x.org" for one in range(3)]
        self.browsers = [f"X{self.own}-{one}" for one in range(4)]

    def names(self, share: float) -> dict[str, str]:
        """Whom a message names: with its id, and with its email, in such a ``share`` of cases."""
        drawn = [
            ("id", self.one(self.ids), share),
            ("email", self.one(self.emails), share),
            ("anonymous_id", self.one(self.browsers), 0.7),
        ]
        called = {kind: one for kind, one, often in drawn if self.random.random() < often}
        return called or {"anonymous_id": self.one(self.browsers)}

    def also(self, called: Mapping[str, str]) -> tuple[Also, ...]:
        """Another id or email of whoever is ``called`` so; of a visitor there is none."""
        names: list[Name] = [("email", self.one(self.emails))] if called.keys() & ANCHORS else []
        names += [("id", self.one(self.ids))] if "id" in called else []
        return (Also(self.random.choice(names)),) if names else ()

    def one(self, members: Sequence[str]) -> str:
        chosen = self.random.choice(members)
        if self.random.random() >= self.strangers:
            return chosen
        letter, index = chosen[0], chosen.partition("-")[2]
        return f"{letter}{self.random.randrange(self.number)}-{index}"


def moment(random: Random, number: int) -> int:
    """A minute near where the crowd's story is by now; in a fifth of cases, long before."""
    ago = random.uniform(0, 500 if random.random() < 0.2 else 5)
    return microseconds(hour(int((number / 20 - ago) * 60) / 60))


def attributes(random: Random) -> tuple[tuple[str, int | None], ...]:
    """Values of some attributes; of some, that they are removed."""
    written = [key for key in ("plan", "city", "size") if random.random() < 0.5]
    return tuple((key, random.choice([None, *range(9)])) for key in written)


def relations(random: Random) -> tuple[Change, ...]:
    adds = random.random() < 0.7
    return ((random.choice(["acme", "globex"]), adds, attributes(random) if adds else ()),)
