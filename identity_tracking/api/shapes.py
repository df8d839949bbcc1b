"""The JSON that all endpoints share, as JSON Schema, with the limits that the code has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from identity_tracking.identifiers import MAX_BYTES, MAX_EMAIL
from identity_tracking.messages import MAX_MESSAGE_ID
from identity_tracking.payloads import INTEGERS, MAX_DEPTH, MAX_KEYS, MAX_MESSAGE, MAX_NAME

Schema: TypeAlias = Mapping[str, Any]

STORABLE = "^[^\\u0000]*$"
WORDS = "^[^\\u0000]*[^\\u0000\\s][^\\u0000]*$"  # not white space alone
PRINTABLE = (
    "^[^\\u0000-\\u001f\\u007f]*[^\\u0000-\\u001f\\u007f\\s0][^\\u0000-\\u001f\\u007f]*$"  # nor 0
)
UNREADABLE = ("invalid_json", "unreadable", "invalid_body")  # of a whole body
OF_VALUES = (
    *("not_an_object", "not_text", "too_deep", "too_many_keys", "key_too_long", "too_large"),
    *("number_too_large", "number_not_finite", "invalid_text"),
)
OF_MESSAGES = (
    *OF_VALUES,
    *("no_identifier", "name_missing", "invalid_timestamp", "message_id_too_long"),
    *("invalid_object", "invalid_relationships"),
)
OF_DEEDS = ("invalid_device", "suppression_key_missing")


def ref(name: str) -> Schema:
    """Return a reference to the shape of this name, of ``SHAPES`` or of a room's own."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(limit: int | None = None, **also: Any) -> Schema:
    return {"type": "string", **({"maxLength": limit} if limit else {}), **also}


def objects(
    required: Mapping[str, Schema],
    optional: Mapping[str, Schema] | None = None,
    *,
    is_closed: bool = False,
    **also: Any,
) -> Schema:
    """Return an object's schema; ``is_closed``: it has no other fields."""
    told: dict[str, Any] = {"type": "object", "properties": {**required, **(optional or {})}}
    if required:
        told["required"] = list(required)
    if is_closed:
        told["additionalProperties"] = False
    return {**told, **also}


def lists(items: Schema, limit: int | None = None, **also: Any) -> Schema:
    return {"type": "array", "items": items, **({"maxItems": limit} if limit else {}), **also}


def some_of(*schemas: Schema, **also: Any) -> Schema:
    return {"anyOf": list(schemas), **also}


KEYS: Schema = {"maxLength": MAX_NAME, "pattern": STORABLE}
NULL: Schema = {"type": "null"}
ACTIONS = ("add_relationships", "remove_relationships", "delete_relationships")

RELATED = objects(
    {
        "identifiers": objects(
            {"object_type_id": ref("Label"), "object_id": ref("Label")},
        )
    },
    {"relationship_attributes": some_of(ref("Properties"), NULL)},
)
BLOCK = objects(
    {"relationships": lists(RELATED)},
    {"action": {"type": "string", "enum": list(ACTIONS), "default": ACTIONS[0]}},
)

SHAPES: Mapping[str, Schema] = {
    "Identifier": {
        "type": ["string", "number", "null"],
        "maxLength": MAX_BYTES,
        "description": f"Text or a number; read trimmed, at most {MAX_BYTES} bytes of UTF-8. What"
        ' is nobody\'s ("", "null", "undefined", 0 and their kin) counts as absent; what is'
        " longer, or holds control characters, is not used.",
        "examples": ["42"],
    },
    "Somebody": {
        "type": ["string", "integer"],
        "minLength": 1,
        "maxLength": MAX_BYTES,
        "pattern": PRINTABLE,
        "minimum": 1,
        "description": "An identifier that must be there.",
        "examples": ["42"],
    },
    "Email": {
        "type": ["string", "null"],
        "maxLength": MAX_EMAIL,
        "description": "An address; case does not matter. What is none is not used.",
        "examples": ["ada@example.com"],
    },
    "MessageId": {
        "type": ["string", "number", "null"],
        "maxLength": MAX_MESSAGE_ID,
        "pattern": STORABLE,
        "description": "What has the same one is stored once: give one, and you can repeat.",
    },
    "Label": {
        "type": ["string", "integer"],
        "minLength": 1,
        "pattern": WORDS,
        "description": f"Text or a number; cut to {MAX_NAME} characters.",
    },
    "Name": {
        "type": "string",
        "minLength": 1,
        "pattern": WORDS,
        "description": f"One line of text; cut to {MAX_NAME} characters.",
    },
    "Time": {
        "description": "Unix seconds or milliseconds, or ISO 8601; never later than now.",
        "anyOf": [
            {"type": "number", "minimum": 0, "maximum": 99_999_999_999_999},
            {"type": "string", "format": "date-time"},
            {"type": "null"},
        ],
    },
    "Value": {
        "description": f"Any JSON, at most {MAX_DEPTH} deep. Text holds no NUL; integers have at"
        " most 64 bits.",
        "anyOf": [
            {"type": ["null", "boolean"]},
            {"type": "number", "minimum": INTEGERS[0], "maximum": INTEGERS[-1]},
            {"type": "string", "pattern": STORABLE},
            {"type": "array", "items": ref("Value")},
            ref("Properties"),
        ],
    },
    "Properties": {
        "type": "object",
        "description": f"At most {MAX_KEYS} keys at all depths, {MAX_MESSAGE} bytes of JSON.",
        "maxProperties": MAX_KEYS,
        "propertyNames": KEYS,
        "additionalProperties": ref("Value"),
    },
    "Relationships": {
        "description": "Which objects a person relates to from now on, or no longer. A list may"
        " come as an object keyed by index.",
        "anyOf": [BLOCK, lists(BLOCK), NULL],
    },
    "MessageErrors": lists(
        objects(
            {
                "index": {"type": "integer", "minimum": 0},
                "code": {
                    "type": "string",
                    "enum": sorted({*OF_MESSAGES, *OF_DEEDS, "invalid_message", "unknown_type"}),
                },
                "message": text(),
            },
            is_closed=True,
        ),
        minItems=1,
        description="Which messages could not be accepted, by their index: they are kept as"
        " failed events.",
    ),
}
