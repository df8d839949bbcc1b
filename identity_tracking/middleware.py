"""Give every request a visitor and keep the browser's two cookies. Makes no query.

But one: when a visitor follows a personal link, whose parameter is in the URL.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from identity_tracking import links
from identity_tracking.api.transport import exempt_own_paths
from identity_tracking.conf import conf
from identity_tracking.identifiers import names
from identity_tracking.ingest.context import request_context
from identity_tracking.ingest.process import process
from identity_tracking.ingest.transaction import database, reachable
from identity_tracking.visitor import Visitor, harmless


class IdentityTrackingMiddleware:
    """Set ``request.visitor``; set ``_cioanonid`` and ``_cioid`` on the response when they changed.

    Stands after AuthenticationMiddleware. Never raises into the host's page.
    """

    sync_capable = True
    async_capable = True

    def __init__(
        self,
        get_response: (
            Callable[[HttpRequest], HttpResponseBase]
            | Callable[[HttpRequest], Awaitable[HttpResponseBase]]
        ),
    ) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)
        exempt_own_paths()

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self.__acall__(request)
        visitor = self.greet(request)
        if _is_personal(visitor):
            self.follow(visitor)
        response = cast(HttpResponseBase, self.get_response(request))
        self.part(visitor, response)
        return response

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        visitor = self.greet(request)
        if _is_personal(visitor):
            await sync_to_async(self.follow)(visitor)
        response = await cast(Awaitable[HttpResponseBase], self.get_response(request))
        if conf.EXCLUDE or conf.HAS_CONSENT:  # may ask the database
            await sync_to_async(self.part)(visitor, response)
        else:
            self.part(visitor, response)
        return response

    def greet(self, request: HttpRequest) -> Visitor:
        visitor = Visitor(request)
        request.visitor = visitor  # type: ignore[attr-defined]
        return visitor

    def part(self, visitor: Visitor, response: HttpResponseBase) -> None:
        """Keep a private response so, and set the cookies that changed."""
        visitor.part(response)
        with harmless("setting a visitor's cookies"):
            visitor.remember(response)

    def follow(self, visitor: Visitor) -> None:
        """Take the personal link that the visitor followed."""
        with harmless("following a personal link"):
            if visitor.may_be_followed():
                self._open(visitor, visitor.request)

    def _open(self, visitor: Visitor, request: HttpRequest) -> None:
        said = names(id=visitor.claimed_id, anonymous_id=visitor.anonymous_id)
        context = request_context(request)
        with reachable(database()):
            message = links.opened(
                visitor, request.GET[conf.LINK_PARAMETER], said=said, context=context
            )
        if message:
            process([message])


def _is_personal(visitor: Visitor) -> bool:
    """Say whether a person navigated here by a personal link: no scanner, no prefetch."""
    request = visitor.request
    return (
        bool(request.META.get("QUERY_STRING"))
        and request.method == "GET"
        and request.META.get("HTTP_SEC_FETCH_MODE") == "navigate"
        and not visitor.is_speculative
        and _has_link(request)
    )


def _has_link(request: HttpRequest) -> bool:
    try:
        return conf.LINK_PARAMETER in request.GET
    except SuspiciousOperation:  # more parameters than Django reads: the page may never look
        return False
