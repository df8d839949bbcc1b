"""The path as the client sent it: servers decode "%2F", and then no slash tells what it was."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from django.http import HttpRequest

ANYTHING = "(?s:.+)"  # of a URL's pattern: slashes, and line breaks, which a dot alone leaves out


def segments(request: HttpRequest, rest: str) -> list[str] | None:
    """Return the parts of ``rest``, the end of the request's path, each decoded once.

    None where the server keeps no path as it was sent (gunicorn and uWSGI do, and ASGI), or
    where something before it has rewritten the path.
    """
    raw = _raw(request)
    if raw is None:
        return None
    before = request.path.removesuffix(rest).count("/")
    parts = [unquote(part) for part in raw.split("/")[before:]]
    return parts if "/".join(parts) == rest else None


def _raw(request: HttpRequest) -> str | None:
    scope = getattr(request, "scope", None)
    if scope is not None:
        path: bytes | None = scope.get("raw_path")
        return path.decode("latin-1") if path is not None else None
    sent = request.META.get("RAW_URI") or request.META.get("REQUEST_URI")
    return urlsplit(sent).path if sent else None
