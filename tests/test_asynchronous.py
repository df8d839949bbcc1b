from __future__ import annotations

import inspect
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import AsyncRequestFactory

import identity_tracking
from identity_tracking import (
    aalias,
    agroup,
    aidentify,
    apage,
    arelate,
    asynchronous,
    atrack,
    aunrelate,
    shortcuts,
    track,
)
from identity_tracking.middleware import IdentityTrackingMiddleware
from identity_tracking.models import Activity
from tests.saying import person as find
from tests.web import FIREFOX

pytestmark = pytest.mark.django_db

VISITOR = {"user-agent": FIREFOX}
AWAITED = [name for name in vars(asynchronous) if name[1:] in vars(shortcuts)]


def serve(view):
    """Return what an async ``view`` answers to a visitor, behind the middleware."""
    middleware: Any = IdentityTrackingMiddleware(view)
    return async_to_sync(middleware)(AsyncRequestFactory().get("/cart/", headers=VISITOR))


def test_an_async_view_says_who_somebody_is_and_what_they_did():
    async def view(request):
        await apage(request)
        await atrack(request, "added_to_cart", {"sku": "A1"})
        await aidentify(request, id="42", email="ada@example.com", plan="pro")
        await agroup(request, "company", "acme", {"seats": 5})
        await arelate(request, "course", "python", role="teacher")
        await aunrelate(request, "course", "python")
        await aalias(request, "another-browser")
        return HttpResponse("page")

    response = serve(view)

    person = find(id="42")
    assert response.cookies["_cioid"].value == "42"
    assert person.attributes["plan"] == "pro"
    assert {activity.name for activity in person.activities} >= {"/cart/", "added_to_cart"}
    assert [relationship.object.object_id for relationship in person.relationships] == ["acme"]
    assert find(anonymous_id="another-browser") == person


def test_called_without_await_nothing_is_recorded_and_the_log_says_why(caplog):
    async def view(request):
        track(request, "added_to_cart")
        return HttpResponse("page")

    assert serve(view).content == b"page"
    assert not Activity.objects.exists()
    assert "async context" in caplog.text


@pytest.mark.parametrize("name", AWAITED)
def test_an_awaited_call_takes_what_the_other_takes(name):
    awaited, call = getattr(identity_tracking, name), getattr(identity_tracking, name[1:])

    assert inspect.signature(awaited) == inspect.signature(call)
    assert awaited.__doc__ == call.__doc__
