"""The shop at the root, Django's admin, and identity_tracking under a prefix of its own."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("", include("example_project.shop.urls")),
    path("admin/", admin.site.urls),
    path("people/", include("identity_tracking.urls")),
]
