"""What an endpoint takes and answers, as values. Each room lists its own; ``openapi`` joins them.

They are data, not serializers: the decoders read what comes, and a test compares the two.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from identity_tracking.api.shapes import Schema, objects, ref, text

Answer: TypeAlias = Mapping[str, Any]
Answers: TypeAlias = Mapping[int, Answer]

CLEAR = "https_required"
TOO_MANY = "There are too many calls of this address, or of this source."
NOT_STORED = "The database is in trouble, nothing was stored: send it again."


@dataclass(frozen=True, kw_only=True, slots=True)
class Operation:
    """One method of one path, as OpenAPI describes it.

    ``path`` begins under the site's prefix. What all of a ``view`` have in common its docstring
    says. ``also``: other paths of the same meaning. ``security``: which of the schemes may stand,
    one is enough; "" is none.
    """

    method: str
    path: str
    view: Any
    summary: str
    answers: Answers
    also: tuple[str, ...] = ()
    parameters: tuple[Schema, ...] = ()
    body: Schema | None = None
    security: tuple[str, ...] = ("",)

    def described(self, tag: str) -> dict[str, Any]:
        """Return OpenAPI's Operation Object: https://spec.openapis.org/oas/v3.1.0#operation-object."""
        told = {
            "operationId": self.id,
            "tags": [tag],
            "summary": self.summary,
            "description": self.description,
            "security": [{one: []} if one else {} for one in self.security],
            "responses": {str(status): told for status, told in sorted(self.answers.items())},
        }
        if self.parameters:
            told["parameters"] = list(self.parameters)
        if self.body is not None:
            told["requestBody"] = self.body
        return told

    @property
    def description(self) -> str:
        told = [inspect.getdoc(self.view) or ""]
        if self.also:
            told.append(f"Also {', '.join(f'`{path}`' for path in self.also)}.")
        return "\n\n".join(told)

    @property
    def id(self) -> str:
        words = "".join(one if one.isalnum() else " " for one in self.path).split()
        return "_".join([self.method, *words])


@dataclass(frozen=True, kw_only=True, slots=True)
class Room:
    """All operations of one room, and the shapes and security schemes that they refer to."""

    name: str
    about: str
    operations: tuple[Operation, ...]
    shapes: Mapping[str, Schema]
    security: Mapping[str, Schema]


def answer(
    description: str, schema: Schema | None = None, *, headers: Mapping[str, Schema] | None = None
) -> Answer:
    """Return OpenAPI's Response Object: JSON of this ``schema``, or nothing at all."""
    told: dict[str, Any] = {"description": description}
    if headers:
        told["headers"] = dict(headers)
    if schema is not None:
        told["content"] = {"application/json": {"schema": schema}}
    return told


def later(refused: Callable[[str], Schema]) -> Answers:
    """Return the answers that say to send it again; ``refused``: makes a body of a code."""
    return {
        429: answer(TOO_MANY, refused("throttled"), headers=RETRY_AFTER),
        503: answer(NOT_STORED, refused("unavailable"), headers=RETRY_AFTER),
    }


def body(schema: Schema, about: str, *, is_required: bool = True) -> Schema:
    """Return OpenAPI's Request Body Object. Whatever its Content-Type, it is read as JSON."""
    content = {"application/json": {"schema": schema}}
    return {"description": about, "required": is_required, "content": content}


def in_path(name: str, schema: Schema, about: str) -> Schema:
    """Return OpenAPI's Parameter Object."""
    return {"name": name, "in": "path", "required": True, "description": about, "schema": schema}


def in_query(name: str, schema: Schema, about: str) -> Schema:
    return {"name": name, "in": "query", "description": about, "schema": schema}


def code_of(*codes: str) -> Schema:
    """Return one of ``codes``: they are stable."""
    return {"type": "string", "enum": sorted(codes)}


def refusal(*codes: str) -> Schema:
    """Return the body that says why a whole request was refused, but in the Track API."""
    error = objects({"code": code_of(*codes), "message": text()}, is_closed=True)
    return objects({"success": {"const": False}, "error": error}, is_closed=True)


def success(errors: Schema | None = None) -> Schema:
    """Return ``{"success": true}``, perhaps with ``errors`` of single messages."""
    told: dict[str, Schema] = {"success": {"const": True}}
    optional = {"errors": errors} if errors else {}
    return objects(told, optional, is_closed=True)


RETRY_AFTER: Mapping[str, Schema] = {
    "Retry-After": {
        "description": "After how many seconds to send it again.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
IN_THE_CLEAR = {403: answer("It came without TLS, which the site wants.", refusal(CLEAR))}
PREFLIGHT: Answers = {204: answer("Which pages may post, in the headers of CORS."), **IN_THE_CLEAR}
LATER = later(refusal)
UNAVAILABLE = {503: LATER[503]}
MESSAGE_ERRORS = ref("MessageErrors")
