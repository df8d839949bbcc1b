"""What a site includes under a prefix: ``path("people/", include("identity_tracking.urls"))``."""

from __future__ import annotations

from django.urls import path

from identity_tracking.api.browser.views import BrowserView, script
from identity_tracking.conf import conf

app_name = "identity_tracking"

urlpatterns = [
    path(conf.ENDPOINT, BrowserView.as_view(), name="endpoint"),
    path(conf.SCRIPT, script, name="script"),
]
