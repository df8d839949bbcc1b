from __future__ import annotations

import base64

import pytest
from django.test import Client, override_settings
from django.urls import include, path

from identity_tracking.models import Activity

pytestmark = pytest.mark.django_db

BASIC = {"authorization": "Basic " + base64.b64encode(b"shop:test-key").decode()}
EVENT = {"name": "bought", "userId": "1", "event": "bought"}
PATHS = ["people/api/v1/customers/1%2F2/events", "people/v1/track", "people/visit", "v1/track/"]
urlpatterns = [
    path("people/", include("identity_tracking.urls")),
    path("", include("identity_tracking.api.segment.urls")),
]


@pytest.fixture(autouse=True)
def redirecting(settings):
    settings.SECURE_SSL_REDIRECT = True
    settings.ROOT_URLCONF = __name__
    settings.MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", *settings.MIDDLEWARE]


@pytest.mark.parametrize("path", PATHS)
def test_what_comes_without_tls_is_refused_and_never_redirected(path):
    answer = Client(headers=BASIC).post(f"/{path}", EVENT, "application/json")

    assert answer.status_code == 403
    assert "https_required" in answer.content.decode()
    assert not Activity.objects.exists()


def test_by_tls_it_is_kept():
    client = Client(headers=BASIC)
    client.post("/people/api/v1/customers/1/events", EVENT, "application/json", secure=True)

    assert Activity.objects.exists()


def test_the_site_s_own_pages_redirect_as_before():
    assert Client().get("/people/visitor.js").status_code == 301
    assert Client().get("/api/v1/other").status_code == 301


def test_a_site_s_own_exemptions_stay(settings):
    with override_settings(SECURE_REDIRECT_EXEMPT=["^health"]):
        assert Client().get("/health").status_code == 404
