"""What the browser endpoint takes and answers, for the OpenAPI document."""

from __future__ import annotations

from identity_tracking.api.base import StrictJSONParser
from identity_tracking.api.browser.decoder import MAX_MESSAGES, TYPES
from identity_tracking.api.browser.views import SCRIPT, BrowserView, script
from identity_tracking.api.operations import (
    CLEAR,
    LATER,
    MESSAGE_ERRORS,
    PREFLIGHT,
    Answers,
    Operation,
    Room,
    answer,
    body,
    in_query,
    refusal,
    success,
)
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
from identity_tracking.conf import conf

PATH = f"/{conf.ENDPOINT}"
KIBIBYTES = StrictJSONParser.max_bytes // 1024
TIME: Schema = {"type": ["number", "null"], "minimum": 0, "maximum": 99_999_999_999_999}

MESSAGE = objects(
    {"type": {"type": "string", "enum": [*TYPES]}},
    {
        "message_id": ref("MessageId"),
        "time": {**TIME, "description": "Unix milliseconds by the sender's clock."},
        "anonymous_id": ref("Identifier"),
        "id": ref("Identifier"),
        "email": ref("Email"),
        "cio_id": {**ref("Identifier"), "description": "Of a link: whose it is."},
        "name": {
            "type": ["string", "null"],
            "description": "Of an event, or of a page: then it may be its URL.",
        },
        "data": some_of(
            ref("Properties"),
            NULL,
            description="An event's properties, or an identify's attributes; among these"
            " `cio_relationships`, and the `id` and `email` of an identify. Null removes one.",
        ),
        "url": text(),
        "title": text(),
        "referrer": text(),
    },
    description="Who it is: `anonymous_id`, `id` or `email`, one is enough. An identify has an"
    " `id` or an `email`, a track a `name`, a link a `cio_id`.",
)
DELIVERY = objects(
    {
        "site_id": text(
            description="Of the source; of a signed page with the signature after a colon.",
            examples=["shop"],
        ),
        "messages": lists(ref("BrowserMessage"), MAX_MESSAGES),
    },
    {
        "sent_at": {
            **TIME,
            "description": "When it was sent: it corrects a clock wrong by two seconds or more.",
        },
        "renew": {
            "type": "boolean",
            "description": "Set the visitor's cookies anew; no late answer does.",
        },
        "retry": {"type": "integer", "description": "How often it was tried before."},
    },
)
NONE_ACCEPTED = objects({"success": {"const": False}, "errors": MESSAGE_ERRORS}, is_closed=True)
ANSWERS: Answers = {
    200: answer(
        "Stored, or there already; `errors` tells which were not.", success(MESSAGE_ERRORS)
    ),
    400: answer(
        "None could be accepted, or the body cannot be read.",
        {"oneOf": [NONE_ACCEPTED, refusal(*UNREADABLE, "invalid_timestamp")]},
    ),
    401: answer("No source has this site_id.", refusal("unknown_source")),
    403: answer("The page's origin may not post.", refusal("origin_not_allowed", CLEAR)),
    413: answer("It is too much for one request.", refusal("too_large")),
    **LATER,
}
OPERATIONS = (
    Operation(
        method="post",
        path=PATH,
        view=BrowserView,
        summary="Take what the script sends",
        body=body(
            ref("BrowserDelivery"), f"At most {KIBIBYTES} KiB of JSON, whatever its Content-Type."
        ),
        answers=ANSWERS,
    ),
    Operation(
        method="options",
        path=PATH,
        view=BrowserView,
        summary="Tell a page of another origin whether it may post",
        answers=PREFLIGHT,
    ),
    Operation(
        method="get",
        path=f"/{conf.SCRIPT}",
        view=script,
        summary="Serve the script",
        parameters=(in_query("v", text(), "The build, as the snippet's address names it."),),
        answers={
            200: {
                "description": "The script; empty for a browser that may not be followed.",
                "content": {SCRIPT.partition(";")[0]: {"schema": text()}},
            }
        },
    ),
)
ROOM = Room(
    name="Browser",
    about="What the script in the page loads and sends. Who posts proves nothing by it.",
    operations=OPERATIONS,
    shapes={"BrowserMessage": MESSAGE, "BrowserDelivery": DELIVERY},
    security={},
)
