"""Django's login becomes identify, its logout becomes reset."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out
from django.dispatch import receiver
from django.http import HttpRequest

from identity_tracking.shortcuts import identify
from identity_tracking.visitor import Visitor, harmless


@receiver(user_logged_in, dispatch_uid="identity_tracking.login")
def identify_on_login(*, request: HttpRequest | None, user: Any, **kwargs: Any) -> None:
    """Identify who logged in, by USER_ID and USER_ATTRIBUTES, unless MAY_IDENTIFY says no.

    Where that fails the browser is at least nobody else's; who it is its first message says.
    """
    if request is None:
        return
    if not hasattr(request, "user"):  # made by hand, as the test client does
        request.user = user
    visitor = getattr(request, "visitor", None) or Visitor(request)
    with harmless("identifying who logged in"):
        visitor.log_in(user)
        if visitor.user is None:
            return
        if identify(request) is not None:
            visitor.mark_identified()
        elif visitor.claims_another:
            visitor.forget()


@receiver(user_logged_out, dispatch_uid="identity_tracking.logout")
def reset_on_logout(*, request: HttpRequest | None, **kwargs: Any) -> None:
    """Make the browser nobody's."""
    if request is not None:
        visitor = getattr(request, "visitor", None) or Visitor(request)
        visitor.log_out()
