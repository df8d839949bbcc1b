"""The paths of Segment's HTTP API, for a site to include under its prefix, or at its root.

No path ends in a slash that must be there: a redirect would lose what was sent.
"""

from __future__ import annotations

from django.urls import re_path

from identity_tracking.api.paths import ANYTHING
from identity_tracking.api.segment.decoder import TYPES
from identity_tracking.api.segment.views import BatchView, CallView, SettingsView

urlpatterns = [
    *(re_path(rf"^v1/(?:{kind}|{kind[0]})/?$", CallView.as_view(kind=kind)) for kind in TYPES),
    re_path(r"^v1/(?:batch|b|import)/?$", BatchView.as_view()),
    re_path(r"^beacon/v1/(?:batch|b)/?$", BatchView.as_view()),
    re_path(rf"^v1/projects/(?P<key>{ANYTHING})/settings/?$", SettingsView.as_view()),
]
