from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from tests.site import views

urlpatterns = [
    path("", views.home),
    path("plain/", views.plain),
    path("cached/", views.cached),
    path("signed/", views.signed),
    path("signed/cached/", views.signed_cached),
    path("stream/", views.stream),
    path("visitor/", views.visitor),
    path("who/", views.who),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
    path("people/", include("identity_tracking.urls")),
]
