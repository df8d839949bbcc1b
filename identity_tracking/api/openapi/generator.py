"""The OpenAPI document, of our endpoints alone; nothing of the site's own API is in it.

Usable wherever drf-spectacular takes a generator: ``manage.py spectacular --generator-class``.
"""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.plumbing import ResolvedComponent
from rest_framework.request import Request

import identity_tracking
from identity_tracking.api.browser import operations as browser
from identity_tracking.api.customerio import operations as customerio
from identity_tracking.api.forms import operations as forms
from identity_tracking.api.openapi import operations as openapi
from identity_tracking.api.segment import operations as segment
from identity_tracking.api.shapes import SHAPES

ROOMS = (browser.ROOM, forms.ROOM, customerio.ROOM, segment.ROOM, openapi.ROOM)
ABOUT = """
People tracking: what a site's pages and servers may send, and what they are answered.

A path that is posted to may end in a slash or not. A body is read as JSON whatever its
Content-Type says. 200 is answered after COMMIT; 503 says that nothing was stored. Codes are stable;
messages are for people, and may change.
"""


class Generator(SchemaGenerator):
    """drf-spectacular's generator, told what there is instead of looking for it.

    Our paths are parsed by the views, and our bodies by decoders: there is no serializer to look
    at. The site's SPECTACULAR_SETTINGS are for its own document, and change nothing here.
    """

    def get_schema(self, request: Request | HttpRequest | None = None, public: bool = False) -> Any:  # noqa: FBT001, FBT002
        """Return the document. ``public`` is drf-spectacular's: nothing here is anybody's own."""
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "identity_tracking",
                "version": identity_tracking.__version__,
                "description": ABOUT.strip(),
            },
            "servers": [{"url": _base(request)}],
            "tags": [{"name": room.name, "description": room.about} for room in ROOMS],
            "paths": self.parse(request, public),
            "components": self.registry.build({}),
        }

    def parse(self, input_request: Any, public: bool) -> dict[str, dict[str, Any]]:  # noqa: FBT001
        """Return the operations of each path, and register what they refer to."""
        self._register(ResolvedComponent.SCHEMA, SHAPES)
        paths: dict[str, dict[str, Any]] = {}
        for room in ROOMS:
            self._register(ResolvedComponent.SCHEMA, room.shapes)
            self._register(ResolvedComponent.SECURITY_SCHEMA, room.security)
            for one in room.operations:
                paths.setdefault(one.path, {})[one.method] = one.described(room.name)
        return paths

    def _register(self, kind: str, named: Any) -> None:
        for name, schema in named.items():
            component = ResolvedComponent(name, kind, schema, name)  # type: ignore[no-untyped-call]
            self.registry.register_on_missing(component)


def _base(request: Request | HttpRequest | None) -> str:
    """Return where the paths begin: the site's prefix."""
    base = reverse("identity_tracking:schema").removesuffix("/schema/")
    return request.build_absolute_uri(base or "/").rstrip("/") if request else base or "/"
