"""The bodies of the Track API, as JSON Schema.

https://docs.customer.io/integrations/api/track/
"""

from __future__ import annotations

from collections.abc import Mapping

from identity_tracking.api.customerio.segments import MOST
from identity_tracking.api.shapes import KEYS, NULL, Schema, lists, objects, ref, some_of, text
from identity_tracking.identifiers import MAX_EMAIL

TOKEN = {**ref("Label"), "minimum": 1}
PROPERTIES = some_of(ref("Properties"), NULL)
NAMED = ("id", "email", "cio_id")
ADDRESS = text(MAX_EMAIL, format="email", examples=["ada@example.com"])

CUSTOMER = objects(
    {},
    {
        "id": ref("Identifier"),
        "email": ref("Email"),
        "anonymous_id": ref("Identifier"),
        "cio_relationships": ref("Relationships"),
        "_timestamp": ref("Time"),
        "_update": {"description": "True: nobody is made.", "enum": [True, False, "true", None]},
    },
    description="Attributes; null removes one.",
    propertyNames=KEYS,
    additionalProperties=ref("Value"),
)
DEVICE = objects(
    {},
    {
        "id": TOKEN,
        "token": TOKEN,
        "platform": text(examples=["ios", "android"]),
        "last_used": {"type": ["number", "null"]},
        "attributes": PROPERTIES,
    },
    description="Named by `id`, in version 2 by `token`; either will do.",
    anyOf=[{"required": ["id"]}, {"required": ["token"]}],
    propertyNames=KEYS,
    additionalProperties=ref("Value"),
)
EVENT_FIELDS: Mapping[str, Schema] = {
    "type": {"description": "`page` and `screen` are views, all else an event."},
    "id": {**ref("MessageId"), "description": "An event with the same one is kept once."},
    "timestamp": ref("Time"),
    "data": PROPERTIES,
}
EVENT = objects({"name": ref("Name")}, EVENT_FIELDS)
ANONYMOUS_EVENT = objects({"name": ref("Name")}, {"anonymous_id": ref("Somebody"), **EVENT_FIELDS})


def named(*kinds: str) -> Schema:
    """Return an object that names somebody in exactly one of these ways."""
    return objects(
        {},
        {kind: ADDRESS if kind == "email" else ref("Somebody") for kind in kinds},
        is_closed=True,
        minProperties=1,
        maxProperties=1,
    )


CALLED = named(*NAMED)
ANYBODY = named(*NAMED, "anonymous_id")
MERGE = objects({"primary": ref("Called"), "secondary": ref("Called")})
MEMBERS = objects({"ids": lists(ref("Identifier"), MOST, minItems=1)})
RELATED = lists(
    objects(
        {"identifiers": objects({"object_type_id": ref("Label"), "object_id": ref("Label")})},
        {"relationship_attributes": PROPERTIES},
    ),
    minItems=1,
)


def item(
    action: str, required: Mapping[str, Schema], *, of: str = "person", **optional: Schema
) -> Schema:
    """Return one thing to do in version 2, about a person, an object or a delivery."""
    head: Mapping[str, Schema] = {"type": {"const": of}, "action": {"const": action}}
    return objects({**head, **required}, optional)


WHO: Mapping[str, Schema] = {"identifiers": ref("Called")}
SEEN: Mapping[str, Schema] = {"identifiers": ref("Anybody"), "name": ref("Name")}
DONE: Mapping[str, Schema] = {**EVENT_FIELDS, "attributes": PROPERTIES}
PERSON_ITEMS: Mapping[str, Schema] = {
    "identify": item(
        "identify", WHO, attributes=ref("Customer"), cio_relationships=ref("Relationships")
    ),
    **{
        view: item(view, SEEN, id=DONE["id"], timestamp=DONE["timestamp"], attributes=PROPERTIES)
        for view in ("event", "page", "screen")
    },
    "add_relationships": item("add_relationships", {**WHO, "cio_relationships": RELATED}),
    "delete_relationships": item("delete_relationships", {**WHO, "cio_relationships": RELATED}),
    "add_device": item("add_device", {**WHO, "device": ref("Device")}),
    "delete_device": item("delete_device", {**WHO, "device": ref("Device")}),
    "merge": item("merge", MERGE["properties"]),
    **{deed: item(deed, WHO) for deed in ("delete", "suppress", "unsuppress")},
}
PEOPLE = lists(
    objects({"identifiers": ref("Anybody")}, {"relationship_attributes": PROPERTIES}), minItems=1
)
WHAT: Mapping[str, Schema] = {
    "identifiers": some_of(
        objects({"object_type_id": ref("Label"), "object_id": ref("Label")}, is_closed=True),
        objects({"cio_object_id": text(pattern="^[0-9a-f]{32}$")}, is_closed=True),
    )
}
OBJECT_ITEMS: Mapping[str, Schema] = {
    **{
        action: item(
            action,
            WHAT,
            of="object",
            timestamp=ref("Time"),
            attributes=PROPERTIES,
            cio_relationships=some_of(PEOPLE, NULL),
        )
        for action in ("identify", "identify_anonymous")
    },
    **{
        action: item(action, {**WHAT, "cio_relationships": PEOPLE}, of="object")
        for action in ("add_relationships", "delete_relationships")
    },
    "delete": item("delete", WHAT, of="object"),
}
WHOSE: Mapping[str, Schema] = {
    "customer_id": ref("Identifier"),
    "recipient": text(description="An email address, or a device's token."),
    "device_id": text(),
    "device_token": text(),
}
DELIVERY_ITEM = item(
    "event",
    {"identifiers": objects({"id": ref("Label")}), "name": ref("Name")},
    of="delivery",
    timestamp=ref("Time"),
    attributes=some_of(objects({}, WHOSE, additionalProperties=ref("Value")), NULL),
)
ITEMS = (*PERSON_ITEMS.values(), *OBJECT_ITEMS.values(), DELIVERY_ITEM)
METRIC: Schema = {**ref("Name"), "examples": ["opened", "clicked", "bounced"]}
DELIVERED = objects(
    {"delivery_id": ref("Label")},
    {
        "metric": METRIC,
        "event": {**METRIC, "description": "What others call a metric."},
        "timestamp": ref("Time"),
        "reason": text(),
        "href": text(),
        **WHOSE,
    },
    anyOf=[{"required": ["metric"]}, {"required": ["event"]}],
)
DELIVERY = some_of(DELIVERED, objects({"payload": DELIVERED}))
UNSUBSCRIBED = objects({}, {"unsubscribe": {"type": "boolean"}, **WHOSE})
FILLED_IN = objects(
    {
        "data": objects(
            {},
            {
                "id": ref("Identifier"),
                "email": ref("Email"),
                "anonymous_id": ref("Identifier"),
                "form_name": text(),
                "form_url": text(),
            },
            description="The fields of the form, by their names; `id` or `email`, or a field that"
            " is mapped to one, says who it is.",
            propertyNames=KEYS,
            additionalProperties=ref("Value"),
        )
    }
)
SHAPES: Mapping[str, Schema] = {
    "FilledIn": FILLED_IN,
    "Customer": CUSTOMER,
    "Device": DEVICE,
    "Event": EVENT,
    "AnonymousEvent": ANONYMOUS_EVENT,
    "Called": CALLED,
    "Anybody": ANYBODY,
    "Merge": MERGE,
    "Members": MEMBERS,
    "Delivery": DELIVERY,
    "Unsubscribed": UNSUBSCRIBED,
    "Item": {"anyOf": [*ITEMS]},
    "ItemBatch": objects({"batch": lists(ref("Item"))}),
}
