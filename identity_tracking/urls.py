"""What a site includes under a prefix: ``path("people/", include("identity_tracking.urls"))``.

The endpoint answers without its last slash too: APPEND_SLASH would redirect, and a browser that
follows posts nothing.
"""

from __future__ import annotations

from django.urls import include, path, re_path

from identity_tracking.api.browser.views import BrowserView, script
from identity_tracking.api.forms.views import SubmitActionView
from identity_tracking.api.openapi.views import SchemaView
from identity_tracking.conf import conf

app_name = "identity_tracking"

urlpatterns = [
    path(conf.ENDPOINT, BrowserView.as_view(), name="endpoint"),
    path(conf.SCRIPT, script, name="script"),
    path(conf.FORMS_SCRIPT, script, {"name": "forms"}, name="forms_script"),
    path(conf.ENDPOINT.rstrip("/"), BrowserView.as_view()),
    path("schema/", SchemaView.as_view(), name="schema"),
    re_path(r"^forms/submit_action/?$", SubmitActionView.as_view(), name="submit_action"),
    path("", include("identity_tracking.api.customerio.urls")),
    path("", include("identity_tracking.api.segment.urls")),
]
