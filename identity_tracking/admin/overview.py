"""The front page: who came lately, who they turned out to be, and what was looked at."""

from __future__ import annotations

from django.core.cache import cache
from django.core.exceptions import PermissionDenied
from django.db import router
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.charts import Chart, chart, ranked
from identity_tracking.admin.figures import DAYS, NEW, Figures, figures
from identity_tracking.admin.readonly import ReadOnlyAdmin, may_view
from identity_tracking.admin.values import plain
from identity_tracking.models import Activity, Identifier, Person

FRESH = 60  # seconds
KEY = "identity_tracking.overview"


def overview_view(admin: ReadOnlyAdmin, request: HttpRequest) -> HttpResponse:
    """Show the figures of the last days, as far as the one who asks may see what they count."""
    if not (may_view(request, Person) or may_view(request, Activity)):
        raise PermissionDenied
    found = _figures()
    context = {
        **admin.admin_site.each_context(request),
        "title": _("The last %d days") % DAYS,
        "opts": admin.opts,
        "media": admin.media,
        "figures": found,
        "shows_activity": may_view(request, Activity),
        "shows_people": may_view(request, Person),
        "charts": _charts(request, found),
        "pages": ranked([(plain(path), count) for path, count in found.pages]),
        "events": ranked([(plain(name), count) for name, count in found.events]),
        "rate": round(100 * found.identified / found.visitors) if found.visitors else None,
    }
    return TemplateResponse(request, "admin/identity_tracking/overview.html", context)


def _figures() -> Figures:
    """Return the figures, which are kept for a minute: for each database and time zone."""
    key = f"{KEY}.{router.db_for_read(Activity)}.{get_current_timezone_name()}"
    found: Figures | None = cache.get(key)
    if found is None:
        found = figures()
        cache.set(key, found, FRESH)
    return found


def _charts(request: HttpRequest, found: Figures) -> list[Chart]:
    charts = []
    if may_view(request, Activity):
        seen = [
            (_("visitors"), found.visitors_by_day),
            (_("of these identified"), found.identified_by_day),
        ]
        charts.append(chart("seen", _("Visitors a day"), found.days, seen))
    if may_view(request, Identifier):
        new = [(_("new visitors"), found.new_visitors_by_day)]
        charts.append(chart("visitors", _("New visitors a day"), found.days, new, ceiling=NEW))
    if may_view(request, Person):
        new = [(_("new people"), found.new_people_by_day)]
        charts.append(chart("people", _("New people a day"), found.days, new, ceiling=NEW))
    return charts
