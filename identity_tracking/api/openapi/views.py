"""``GET schema/``: the OpenAPI document, for staff."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from django.utils.module_loading import import_string
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from identity_tracking.api.base import OpenView

# Not imported with the URLs: drf-spectacular is an extra, and a site's other requests need none.
GENERATOR = "identity_tracking.api.openapi.generator.Generator"


class SchemaView(OpenView):
    """``GET schema/``: this document, for staff who are logged in to the admin.

    403 ``staff_only`` for anybody else; 404 where drf-spectacular is not installed.
    """

    def get(self, request: Request) -> Response:
        if not _is_staff(request._request):
            raise PermissionDenied("Log in to the admin as staff.", "staff_only")
        if find_spec("drf_spectacular") is None:
            raise NotFound("Install identity-tracking[schema].")
        document: dict[str, Any] = import_string(GENERATOR)().get_schema(request)
        return Response(document)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        final["Cache-Control"] = "private, no-store"
        return final


def _is_staff(request: Any) -> bool:
    user = getattr(request, "user", None)  # a site without users has none
    return bool(user is not None and user.is_active and user.is_staff)
