"""What was said and done: messages, what each claims by itself, and merges."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

Name: TypeAlias = tuple[str, str]  # ("id" | "email" | "anonymous_id", value)
Key: TypeAlias = tuple[str, bool, str]  # (source, trusted, message id)
Order: TypeAlias = tuple[int, str, bool, str]

CLAIMING = {"identify", "form", "link"}
DESCRIBING = {"identify", "form"}  # their attributes are their person's
REFILLED = {"page", "track", "group"}  # by clients that repeat a call


class Also(NamedTuple):
    """A further name of a message's person; the operation that it is, where it merges two."""

    name: Name
    operation: str = ""


class Claim(NamedTuple):
    """The word of one message that ``weak`` is ``target``'s."""

    said: Said
    weak: Name
    target: Name
    firm: bool

    @property
    def key(self) -> tuple[Key, Name]:
        return self.said.key, self.weak


@dataclass(frozen=True, kw_only=True)
class Said:
    """One accepted message, in the words of the rules."""

    type: str
    time: int  # microseconds since 1970
    message_id: str
    source: str = "shop"
    trusted: bool = False
    email_trusted: bool = False
    id: str | None = None
    email: str | None = None
    anonymous_id: str | None = None
    also: tuple[Also, ...] = ()
    previous: str | None = None
    restamped: bool = False
    attributes: tuple[tuple[str, Any], ...] = ()
    relations: tuple[tuple[str, bool, tuple[tuple[str, Any], ...]], ...] = ()

    def __repr__(self) -> str:
        told = ((one.name, getattr(self, one.name), one.default) for one in fields(self))
        return (
            f"Said({', '.join(f'{name}={have!r}' for name, have, usual in told if have != usual)})"
        )

    def _repr_pretty_(self, printer: Any, *_: object) -> None:
        printer.text(repr(self))  # Hypothesis would tell every field

    @property
    def key(self) -> Key:
        return self.source, self.trusted, self.message_id

    @cached_property
    def order(self) -> Order:
        return self.time, self.message_id, self.trusted, self.source

    @cached_property
    def head(self) -> Name:
        if self.restamped and self.type in REFILLED and self.anonymous_id:  # R2b
            return "anonymous_id", self.anonymous_id
        for kind in ("id", "email", "anonymous_id"):
            if value := getattr(self, kind):
                return kind, value
        raise AssertionError("names nobody")

    @property
    def claims(self) -> list[Claim]:  # R3
        if self.type == "alias" and self.previous and self.id:
            return [Claim(self, ("anonymous_id", self.previous), self.head, firm=True)]
        if self.type not in CLAIMING:
            return []
        claims = []
        if self.anonymous_id and self.head[0] != "anonymous_id":
            claims.append(Claim(self, ("anonymous_id", self.anonymous_id), self.head, firm=True))
        if self.id and self.email:
            claims.append(Claim(self, ("email", self.email), self.head, self.email_trusted))
        if self.id:
            emails = [one.name for one in self.accepted if one.name[0] == "email"]
            claims += [Claim(self, email, self.head, firm=True) for email in emails]
        return claims

    @property
    def foreign(self) -> list[Also]:
        """What the message also calls its person, that it does not anyway."""
        own = {self.head, ("id", self.id), ("email", self.email)}
        return [one for one in self.also if one.name not in own]

    @property
    def accepted(self) -> list[Also]:  # R9
        return [one for one in self.foreign if self.type in CLAIMING and self.proves(one.name)]

    @property
    def refused(self) -> list[Also]:
        return [one for one in self.foreign if one not in self.accepted]

    def proves(self, name: Name) -> bool:
        return self.email_trusted if name[0] == "email" else self.trusted

    @property
    def called(self) -> list[Name]:
        """The emails that the message calls its id by; after its own, what it is called also."""
        if self.type not in CLAIMING or not self.id:
            return []
        own = [("email", self.email)] if self.email else []
        return own + sorted(one.name for one in self.accepted if one.name[0] == "email")

    @property
    def operations(self) -> list[Operation]:
        """The merges that the message is."""
        return [
            Operation(
                primary=self.head, secondary=one.name, at=self.time, id=one.operation, is_said=True
            )
            for one in self.accepted
            if one.name[0] == self.head[0]
        ]

    @property
    def used(self) -> set[Name]:
        """The identifiers that there are because of this message."""
        used = {self.head}
        if self.type == "alias" and self.previous:
            used.add(("anonymous_id", self.previous))
        for claim in self.claims:
            used |= {claim.weak, claim.target}
        return used | {one.name for one in self.accepted}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """The word that ``secondary`` is the same human as ``primary``."""

    primary: Name
    secondary: Name
    at: int  # microseconds since 1970
    id: str
    live: bool = True
    is_said: bool = False  # a message is this operation
