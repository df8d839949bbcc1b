"""The endpoint of the document itself, for the document."""

from __future__ import annotations

from django.conf import settings

from identity_tracking.api.openapi.views import SchemaView
from identity_tracking.api.operations import CLEAR, UNAVAILABLE, Operation, Room, answer, refusal
from identity_tracking.api.shapes import objects, text

SESSION = {
    "staffSession": {
        "type": "apiKey",
        "in": "cookie",
        "name": settings.SESSION_COOKIE_NAME,
        "description": "Of somebody who is staff: log in to the admin.",
    }
}
DOCUMENT = objects({"openapi": text(), "info": objects({}), "paths": objects({})})
ROOM = Room(
    name="Schema",
    about="This document.",
    operations=(
        Operation(
            method="get",
            path="/schema/",
            view=SchemaView,
            summary="Describe all endpoints",
            answers={
                200: answer("An OpenAPI document.", DOCUMENT),
                403: answer("Who asks is not staff.", refusal("staff_only", CLEAR)),
                404: answer("drf-spectacular is not installed.", refusal("not_found")),
                **UNAVAILABLE,
            },
            security=(*SESSION,),
        ),
    ),
    shapes={},
    security=SESSION,
)
