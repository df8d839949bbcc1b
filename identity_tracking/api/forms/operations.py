"""What the endpoint of forms without a script takes and answers, for the OpenAPI document."""

from __future__ import annotations

from identity_tracking.api.base import StrictJSONParser
from identity_tracking.api.forms.parser import URL_ENCODED
from identity_tracking.api.forms.views import SubmitActionView
from identity_tracking.api.operations import (
    NOT_STORED,
    PREFLIGHT,
    RETRY_AFTER,
    TOO_MANY,
    Answer,
    Operation,
    Room,
    in_query,
)
from identity_tracking.api.shapes import Schema, lists, objects, some_of, text
from identity_tracking.payloads import MAX_NAME

PATH = "/forms/submit_action"
KIBIBYTES = StrictJSONParser.max_bytes // 1024
FIELDS: Schema = objects(
    {},
    {"email": text(examples=["ada@example.com"])},
    description="The fields of the form, by their names.",
    additionalProperties=some_of(text(), lists(text())),
)


def _page(description: str, **also: Schema) -> Answer:
    content = {"text/html": {"schema": text()}}
    return {"description": description, "content": content, **also}


OPERATIONS = (
    Operation(
        method="post",
        path=PATH,
        view=SubmitActionView,
        summary="Take a form that a page posts without a script",
        parameters=(
            in_query("site_id", text(examples=["shop"]), "The source; or a field of the form."),
            in_query("form_id", text(MAX_NAME, minLength=1), "Which form; or a field of it."),
            in_query("success_url", text(examples=["/thanks/"]), "Where it leads to."),
        ),
        body={
            "description": f"At most {KIBIBYTES} KiB.",
            "content": {URL_ENCODED: {"schema": FIELDS}},
        },
        answers={
            200: _page("Stored. A page says thank you."),
            302: {
                "description": "Stored. It leads to `success_url`.",
                "headers": {"Location": {"required": True, "schema": text()}},
            },
            400: _page("It cannot be accepted."),
            401: _page("No source has this site_id."),
            403: _page("The page's origin may not post, or it came without TLS."),
            413: _page("It is too much."),
            429: _page(TOO_MANY, headers=RETRY_AFTER),
            503: _page(NOT_STORED, headers=RETRY_AFTER),
        },
    ),
    Operation(
        method="options",
        path=PATH,
        view=SubmitActionView,
        summary="Tell a page of another origin whether it may post",
        answers=PREFLIGHT,
    ),
)
ROOM = Room(
    name="Forms",
    about="Forms of pages, without a script. Who posts proves nothing by it.",
    operations=OPERATIONS,
    shapes={},
    security={},
)
