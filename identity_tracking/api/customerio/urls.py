"""The Track API's paths, for a site to include under its prefix, or at its root.

No path ends in a slash that must be there: a redirect would lose what was sent.
"""

from __future__ import annotations

from django.urls import re_path

from identity_tracking.api.customerio.forms import FormView
from identity_tracking.api.customerio.views import (
    BatchView,
    CustomerView,
    EntityView,
    EventView,
    MergeView,
    MetricView,
    RegionView,
    SegmentView,
)
from identity_tracking.api.paths import ANYTHING

urlpatterns = [
    re_path(r"^api/v1/accounts/region/?$", RegionView.as_view()),
    re_path(rf"^api/v1/customers/(?P<rest>{ANYTHING})$", CustomerView.as_view()),
    re_path(r"^api/v1/events/?$", EventView.as_view()),
    re_path(rf"^api/v1/forms/(?P<form_id>{ANYTHING})/submit/?$", FormView.as_view()),
    re_path(r"^api/v1/merge_customers/?$", MergeView.as_view()),
    re_path(
        rf"^api/v1/segments/(?P<segment>{ANYTHING})/(?P<verb>add|remove)_customers/?$",
        SegmentView.as_view(),
    ),
    re_path(r"^api/v1/metrics/?$", MetricView.as_view()),
    re_path(r"^api/v1/cio_deliveries/events/?$", MetricView.as_view()),
    re_path(r"^(?:api/v1/)?push/events/?$", MetricView.as_view()),
    re_path(r"^(?:api/v1/)?unsubscribe/(?P<delivery_id>[^/]+)/?$", MetricView.as_view()),
    re_path(r"^api/v2/entity/?$", EntityView.as_view()),
    re_path(r"^api/v2/batch/?$", BatchView.as_view()),
]
