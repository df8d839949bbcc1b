"""Plain HTTP on a site that wants HTTPS: our paths refuse it, where Django would redirect.

Who posts loses what it sent to a redirect: some clients repeat the call without its body and
report success, others wait for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from identity_tracking.api.base import OpenView


def exempt_own_paths() -> None:
    """Keep SecurityMiddleware, which is made after ours, from redirecting our paths.

    The views refuse by themselves what comes without TLS (403 ``https_required``).
    """
    if settings.SECURE_SSL_REDIRECT:
        others = [one for one in settings.SECURE_REDIRECT_EXEMPT if one not in _own_paths()]
        settings.SECURE_REDIRECT_EXEMPT = [*others, *_own_paths()]


def _own_paths() -> list[str]:
    """Return a pattern for each of our paths, by whatever prefix the site has included it."""
    return [f"^{route}" for route in _routes(get_resolver().url_patterns, "")]


def _routes(patterns: Iterable[URLPattern | URLResolver], before: str) -> Iterator[str]:
    for one in patterns:
        route = before + _nameless(one.pattern.regex.pattern).removeprefix("^")
        if isinstance(one, URLResolver):
            yield from _routes(one.url_patterns, route)
        elif issubclass(getattr(one.callback, "cls", object), OpenView):
            yield route


def _nameless(pattern: str) -> str:
    """Return a regular expression whose groups have no names: two cannot share one."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)
