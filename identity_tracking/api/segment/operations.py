"""What Segment's HTTP API takes and answers, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping

from identity_tracking.api.operations import (
    CLEAR,
    IN_THE_CLEAR,
    LATER,
    MESSAGE_ERRORS,
    PREFLIGHT,
    UNAVAILABLE,
    Answers,
    Operation,
    Room,
    answer,
    body,
    in_path,
    refusal,
    success,
)
from identity_tracking.api.parsers import BodyParser
from identity_tracking.api.segment.decoder import TYPES
from identity_tracking.api.segment.views import MOST, BatchView, CallView, SettingsView
from identity_tracking.api.shapes import (
    NULL,
    UNREADABLE,
    Schema,
    lists,
    objects,
    ref,
    some_of,
    text,
)

SIZE = f"At most {BodyParser.max_bytes} bytes of JSON, plain or gzip, whatever its Content-Type."
SECURITY: Mapping[str, Schema] = {
    "writeKey": {
        "type": "http",
        "scheme": "basic",
        "description": "The write key as the user's name, no password: a site_id is public and"
        " its calls untrusted; a secret key's are trusted, and no page may hold one.",
    },
    "writeKeyBearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "The write key, either of them.",
    },
    "writeKeyQuery": {
        "type": "apiKey",
        "in": "query",
        "name": "writeKey",
        "description": "The public write key alone; it may also stand in the body.",
    },
}
MAYBE = some_of(ref("Properties"), NULL)
CALL: Mapping[str, Schema] = {
    "userId": ref("Identifier"),
    "anonymousId": ref("Identifier"),
    "messageId": ref("MessageId"),
    "timestamp": ref("Time"),
    "originalTimestamp": ref("Time"),
    "sentAt": ref("Time"),
    "context": some_of(
        objects(
            {},
            {
                "traits": MAYBE,
                "page": MAYBE,
                "campaign": MAYBE,
                "library": MAYBE,
                "ip": text(),
                "userAgent": text(),
                "locale": text(),
                "timezone": text(),
            },
        ),
        NULL,
    ),
    "integrations": {"description": "Is not read."},
    "writeKey": text(description="The public write key, where no header has one."),
}
OF_KIND: Mapping[str, Mapping[str, Schema]] = {
    "identify": {"traits": MAYBE},
    "track": {"event": ref("Name"), "properties": MAYBE},
    "page": {"name": {"type": ["string", "null"]}, "category": text(), "properties": MAYBE},
    "screen": {"name": {"type": ["string", "null"]}, "properties": MAYBE},
    "group": {"groupId": ref("Label"), "objectTypeId": ref("Label"), "traits": MAYBE},
    "alias": {"previousId": ref("Identifier")},
}
SUMMARIES: Mapping[str, str] = {
    "identify": "Say who somebody is, and set their traits",
    "track": "Keep what somebody did",
    "page": "Keep which page somebody saw",
    "screen": "Keep which screen somebody saw",
    "group": "Relate somebody to an object",
    "alias": "Claim what somebody did before as theirs",
}
SHAPES: Mapping[str, Schema] = {
    **{kind.capitalize(): objects({}, {**CALL, **fields}) for kind, fields in OF_KIND.items()},
    "Call": objects(
        {"type": {"type": "string", "enum": [*TYPES]}},
        {**CALL, **{name: shape for fields in OF_KIND.values() for name, shape in fields.items()}},
        description="Any call, with its type.",
    ),
    "CallBatch": objects(
        {"batch": lists(ref("Call"), MOST)},
        {"sentAt": ref("Time"), "writeKey": CALL["writeKey"]},
    ),
}
ANSWERS: Answers = {
    200: answer("Stored, or there already; `errors` tells what was not.", success(MESSAGE_ERRORS)),
    400: answer("The body cannot be read.", refusal(*UNREADABLE, "invalid_gzip")),
    401: answer("No source has this write key.", refusal("unknown_source")),
    403: answer(
        "A page's origin may not post, or it holds the secret key.",
        refusal("origin_not_allowed", "secret_in_browser", CLEAR),
    ),
    413: answer("It is too much for one request.", refusal("too_large")),
    **LATER,
}
HOST = objects(
    {"apiKey": text(), "apiHost": text(), "protocol": {"enum": ["http", "https"]}}, is_closed=True
)
PLACES = objects(
    {"integrations": {"type": "object", "minProperties": 1, "additionalProperties": HOST}},
    is_closed=True,
)
KEY = in_path("key", text(minLength=1, examples=["shop"]), "A site_id, the public write key.")


def _received(view: type, summary: str, shape: str, *paths: str) -> tuple[Operation, ...]:
    """Return what takes calls of a shape, and its preflight."""
    path, *also = paths
    took = Operation(
        method="post",
        path=path,
        also=tuple(also),
        view=view,
        summary=summary,
        body=body(ref(shape), SIZE),
        answers=ANSWERS,
        security=(*SECURITY, ""),
    )
    return took, _preflight(path, view)


def _preflight(path: str, view: type, *parameters: Schema) -> Operation:
    return Operation(
        method="options",
        path=path,
        view=view,
        summary="Tell a page of another origin whether it may call this",
        parameters=parameters,
        answers=PREFLIGHT,
    )


SETTINGS = "/v1/projects/{key}/settings"
MANY = "Take many calls"
OPERATIONS = (
    *(
        one
        for kind, summary in SUMMARIES.items()
        for one in _received(CallView, summary, kind.capitalize(), f"/v1/{kind}", f"/v1/{kind[0]}")
    ),
    *_received(BatchView, MANY, "CallBatch", "/v1/batch", "/v1/b", "/v1/import"),
    *_received(BatchView, MANY, "CallBatch", "/beacon/v1/batch", "/beacon/v1/b"),
    Operation(
        method="get",
        path=SETTINGS,
        view=SettingsView,
        summary="Tell a client in a page where to send",
        parameters=(KEY,),
        answers={
            200: answer("For each of a client's destinations, this site.", PLACES),
            404: answer("No source has this key.", refusal("not_found")),
            **IN_THE_CLEAR,
            **UNAVAILABLE,
        },
    ),
    _preflight(SETTINGS, SettingsView, KEY),
)
ROOM = Room(
    name="Segment",
    about="Segment's HTTP API, for its unmodified clients and RudderStack's.",
    operations=OPERATIONS,
    shapes=SHAPES,
    security=SECURITY,
)
