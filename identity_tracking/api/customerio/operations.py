"""What the Track API takes and answers, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from identity_tracking.api.customerio.batches import FIELDS
from identity_tracking.api.customerio.forms import FormView
from identity_tracking.api.customerio.shapes import NAMED, SHAPES
from identity_tracking.api.customerio.views import (
    BatchView,
    CustomerView,
    EntityView,
    EventView,
    MergeView,
    MetricView,
    RegionView,
    SegmentView,
)
from identity_tracking.api.operations import (
    CLEAR,
    PREFLIGHT,
    Answer,
    Answers,
    Operation,
    Room,
    answer,
    body,
    code_of,
    in_path,
    in_query,
    later,
)
from identity_tracking.api.parsers import BodyParser
from identity_tracking.api.shapes import (
    OF_MESSAGES,
    OF_VALUES,
    PRINTABLE,
    UNREADABLE,
    WORDS,
    Schema,
    lists,
    objects,
    ref,
    text,
)
from identity_tracking.identifiers import MAX_BYTES
from identity_tracking.ingest.process import TOO_MANY
from identity_tracking.payloads import MAX_NAME

SIZE = f"At most {BodyParser.max_bytes} bytes of JSON, plain or gzip, whatever its Content-Type."
SECURITY: Mapping[str, Schema] = {
    "siteAndKey": {
        "type": "http",
        "scheme": "basic",
        "description": "A site_id, and a secret key of that source. No page may hold it.",
    }
}
OF_CALLS = (*UNREADABLE, "invalid_gzip", *OF_MESSAGES, "invalid_device")
UNREAD = ("no_identifier",)
OF_DEEDS = ("merge_refused", "suppression_key_missing")
OF_ITEMS = (
    *OF_CALLS,
    *OF_DEEDS,
    *("invalid_item", "unknown_action", "invalid_identifiers"),
    *("unknown_object", TOO_MANY),
)
OF_DELIVERIES = (*OF_CALLS, "invalid_identifiers", "invalid_item")
OF_FORMS = (*UNREADABLE, "invalid_gzip", *OF_VALUES, *UNREAD, "invalid_data", "invalid_form_id")
OK, NO_KEY = 200, 401
DONE = answer("Done, and in the database.", objects({}, is_closed=True))
IDENTIFIER = in_path(
    "identifier",
    text(MAX_BYTES, minLength=1, pattern=PRINTABLE, examples=["42"]),
    "Told by its shape: `cio_…` is a cio_id, an address is an email, anything else an id.",
)


def _told(names: str, told: Schema, *codes: str) -> Schema:
    """Return the body of a refusal of version 1; ``names``: "errors" or "error"."""
    meta = objects({names: told, "code": code_of(*codes)}, is_closed=True)
    return objects({"meta": meta}, is_closed=True)


def _meta(*codes: str) -> Schema:
    return _told("errors", lists(text(), 1, minItems=1), *codes)


def _meta_error(*codes: str) -> Schema:
    return _told("error", text(), *codes)


def _items(*codes: str, **also: Schema) -> Schema:
    """Return the body of a refusal of version 2."""
    field = {"type": "string", "enum": sorted({*FIELDS.values(), ""})}
    told = {**also, "reason": code_of(*codes), "field": field, "message": text()}
    one = objects(told, is_closed=True)
    return objects({"errors": lists(one, minItems=1)}, is_closed=True)


def _answers(refused: Any, *codes: str) -> Answers:
    """Return what every call may answer; ``refused``: makes a body of codes."""
    told: dict[int, Answer] = {
        200: DONE,
        401: answer(
            "No source has this site_id and key.",
            _meta_error("unknown_source"),
            headers={"WWW-Authenticate": {"required": True, "schema": text()}},
        ),
        403: answer("A page sent the key.", _meta_error("secret_in_browser", CLEAR)),
        413: answer("It is too much.", refused("too_large")),
        **later(refused),
    }
    if codes:
        about = "It cannot be accepted; it is kept as a failed event."
        told[400] = answer(about, refused(*(code for code in codes if code != "too_large")))
    return told


def _call(
    method: str,
    path: str,
    view: type,
    summary: str,
    shape: str = "",
    *,
    codes: tuple[str, ...] = (*OF_CALLS,),
    refused: Any = _meta,
    **also: Any,
) -> Operation:
    return Operation(
        method=method,
        path=path,
        view=view,
        summary=summary,
        body=body(ref(shape), SIZE) if shape else None,
        answers=_answers(refused, *codes) | also.pop("answers", {}),
        security=(*SECURITY,),
        **also,
    )


def _customer(
    method: str, what: str, summary: str, shape: str = "", *more: Schema, **also: Any
) -> Operation:
    path = f"/api/v1/customers/{{identifier}}{what}"
    return _call(method, path, CustomerView, summary, shape, parameters=(IDENTIFIER, *more), **also)


CUSTOMERS = (
    _customer("put", "", "Set somebody's attributes", "Customer"),
    _customer("delete", "", "Delete somebody", codes=UNREAD),
    _customer("put", "/devices", "Relate somebody to a device", "DeviceOf"),
    _customer(
        "delete",
        "/devices/{device_id}",
        "End somebody's relationship to a device",
        "",
        in_path("device_id", text(minLength=1, pattern=WORDS), "The device's token."),
        codes=(*UNREAD, "invalid_object", "invalid_text"),
    ),
    _customer("post", "/events", "Keep an event of somebody's", "Event"),
    _customer("post", "/suppress", "Erase somebody, and refuse them", codes=(*UNREAD, *OF_DEEDS)),
    _customer("post", "/unsuppress", "Accept somebody again", codes=(*UNREAD, *OF_DEEDS)),
)
SEGMENT = in_path("segment", text(minLength=1, examples=["7"]), "The manual segment's id.")
ID_TYPE = in_query(
    "id_type", {"type": "string", "enum": [*NAMED], "default": "id"}, "What the ids are."
)
ENVIRONMENT = answer(
    "The key is right.",
    objects({"url": text(), "region": text(), "environment_id": {"type": "integer"}}),
)


def _segment(verb: str, summary: str) -> Operation:
    return _call(
        "post",
        f"/api/v1/segments/{{segment}}/{verb}_customers",
        SegmentView,
        summary,
        "Members",
        codes=(*OF_CALLS, "invalid_ids", "invalid_id_type"),
        parameters=(SEGMENT, ID_TYPE),
    )


def _delivery(
    path: str, *also: str, shape: str = "Delivery", parameters: tuple[Schema, ...] = ()
) -> tuple[Operation, ...]:
    """Return what takes what became of a delivery, and its preflight."""
    about = "A page's origin may not post."
    refused = {403: answer(about, _meta_error("origin_not_allowed", CLEAR))}
    told = {code: one for code, one in _answers(_meta, *OF_DELIVERIES).items() if code != NO_KEY}
    took = Operation(
        method="post",
        path=path,
        also=also,
        view=MetricView,
        summary="Tell what became of a delivery",
        parameters=parameters,
        body=body(ref(shape), SIZE),
        answers={**told, **refused},
    )
    preflight = Operation(
        method="options",
        path=path,
        view=MetricView,
        summary="Tell a page of another origin whether it may call this",
        parameters=parameters,
        answers={204: PREFLIGHT[204], 403: answer("It came in the clear.", _meta_error(CLEAR))},
    )
    return took, preflight


DELIVERIES = (
    *_delivery("/api/v1/metrics", "/api/v1/cio_deliveries/events"),
    *_delivery("/api/v1/push/events", "/push/events"),
    *_delivery(
        "/unsubscribe/{delivery_id}",
        "/api/v1/unsubscribe/{delivery_id}",
        shape="Unsubscribed",
        parameters=(in_path("delivery_id", text(minLength=1), "The delivery's id."),),
    ),
)
FORM_ID = in_path(
    "form_id", text(MAX_NAME, minLength=1, examples=["signup"]), "Any; a new one lists the form."
)
FORM = Operation(
    method="post",
    path="/api/v1/forms/{form_id}/submit",
    view=FormView,
    summary="Take a form that somebody filled in",
    parameters=(FORM_ID,),
    body=body(ref("FilledIn"), SIZE),
    answers={
        **{status: told for status, told in _answers(_meta, *OF_FORMS).items() if status != OK},
        204: answer("Done, and in the database."),
    },
    security=(*SECURITY,),
)
SOME_INVALID = answer(
    "Some items are invalid: they are kept as failed events, the others are done.",
    _items(*OF_ITEMS, batch_index={"type": "integer", "minimum": 0}),
)
OPERATIONS = (
    _call(
        "get",
        "/api/v1/accounts/region",
        RegionView,
        "Tell that the key is right",
        codes=(),
        answers={200: ENVIRONMENT},
    ),
    *CUSTOMERS,
    _call("post", "/api/v1/events", EventView, "Keep an event of a visitor's", "AnonymousEvent"),
    _call(
        "post",
        "/api/v1/merge_customers",
        MergeView,
        "Make two people one",
        "Merge",
        codes=(*UNREADABLE, "invalid_gzip", "invalid_identifiers", *UNREAD, "merge_refused"),
        refused=_meta_error,
    ),
    _segment("add", "Put people into a manual segment"),
    FORM,
    _segment("remove", "Take people out of a manual segment"),
    *DELIVERIES,
    _call(
        "post",
        "/api/v2/entity",
        EntityView,
        "Do one thing",
        "Item",
        codes=OF_ITEMS,
        refused=_items,
    ),
    _call(
        "post",
        "/api/v2/batch",
        BatchView,
        "Do many things",
        "ItemBatch",
        codes=(*UNREADABLE, "invalid_gzip"),
        refused=_items,
        answers={207: SOME_INVALID},
    ),
)
ROOM = Room(
    name="Track",
    about="Customer.io's Track API, versions 1 and 2, for its unmodified clients.",
    operations=OPERATIONS,
    shapes={**SHAPES, "DeviceOf": objects({"device": ref("Device")})},
    security=SECURITY,
)
