"""The screens of sources: made and changed here, with keys that are shown once, and revoked."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Count, Max, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.cache import add_never_cache_headers
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_variables

from identity_tracking.admin.confirming import Deed, entrance
from identity_tracking.admin.readonly import StockAdmin, page_of
from identity_tracking.admin.values import plain
from identity_tracking.conf import conf
from identity_tracking.models import SecretKey, Source
from identity_tracking.sources import make_key, revoke

CHANGE = "change_source"
LABEL = 100  # characters


class SourceAdmin(StockAdmin):
    """Sources are never deleted, as what they sent names them: they are disabled."""

    actions = None
    list_display = ("name_shown", "site_id", "enabled", "keys_live", "last_used")
    ordering = ("name", "pk")
    sortable_by: ClassVar[tuple[str, ...]] = ()
    fields = ("name", "site_id", "allowed_origins", "enabled")
    change_form_template = "admin/identity_tracking/source/page.html"

    class Media:
        css = {"all": ["identity_tracking/admin.css"]}

    def get_urls(self) -> list[URLPattern]:
        return [
            self._url("<int:key>/key/", self.key_view, "key"),
            self._url("<int:source>/keys/<int:key>/revoke/", self.revoke_view, "revoke"),
            *super().get_urls(),
        ]

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: object = None) -> tuple[str, ...]:
        return () if obj is None else ("site_id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Source]:
        live = Count("keys", filter=Q(keys__revoked_at=None))
        rows: QuerySet[Source] = super().get_queryset(request)
        return rows.annotate(live=live, used_at=Max("keys__last_used_at"))

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {
            "title": capfirst(str(self.opts.verbose_name_plural)),
            "site_id_of_settings": plain(conf.SITE_ID),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)

    def render_change_form(  # type: ignore[override]
        self, request: HttpRequest, context: dict[str, Any], **options: Any
    ) -> HttpResponseBase:
        if source := context["original"]:
            context |= {
                "source": source,
                "keys": source.keys.order_by("-created_at", "-pk"),
                "may_change": self.has_change_permission(request, source),
                **_clients(request),
            }
        return super().render_change_form(request, context, **options)

    @admin.display(description=_("name"))
    def name_shown(self, source: Source) -> str:
        return plain(source.name)

    @admin.display(description=_("secret keys"))
    def keys_live(self, source: Any) -> int:
        return int(source.live)

    @admin.display(description=_("last used"))
    def last_used(self, source: Any) -> Any:
        return source.used_at

    def key_view(self, request: HttpRequest, key: int) -> HttpResponseBase:
        """Make a secret key, after asking what it is for, and show it this once."""
        source = Source.objects.filter(pk=key).first()
        deed = Deed(
            permission=CHANGE,
            title=_("New secret key"),
            button=_("Make the key"),
            done=_("A secret key was made."),
            template="key",
            foresee=lambda: {"source": source},
            do=lambda label: self._shown(request, source, plain(label)[:LABEL]),
        )
        return entrance(self, request, source, deed)

    def revoke_view(self, request: HttpRequest, source: int, key: int) -> HttpResponseBase:
        """Revoke a secret key, after asking."""
        found: Any = SecretKey.objects.select_related("source").filter(pk=key, source=source)
        row = found.filter(revoked_at=None).first()
        deed = Deed(
            permission=CHANGE,
            title=_("Revoke this secret key"),
            button=_("Revoke the key"),
            done=_("The secret key was revoked."),
            template="revoke",
            foresee=lambda: {"source": row.source, "key": row},
            do=lambda _reason: revoke(row),
        )
        return entrance(self, request, row and row.source, deed)

    @sensitive_variables("key", "context")
    def _shown(self, request: HttpRequest, source: Any, label: str) -> HttpResponse:
        """Make a key; return the only page that ever has it. No cache and no log keeps that."""
        key = make_key(source, label)
        context = {
            **self.admin_site.each_context(request),
            "title": _("A new secret key"),
            "opts": self.opts,
            "media": self.media,
            "source": source,
            "subject": source,
            "key": key,
            **_clients(request),
            "back": page_of(Source, source.pk),
        }
        template = "admin/identity_tracking/source/key.html"
        response = TemplateResponse(request, template, context)
        add_never_cache_headers(response)
        return response

    def _url(self, route: str, view: Callable[..., HttpResponseBase], name: str) -> URLPattern:
        guarded = self.admin_site.admin_view(view)
        return path(route, guarded, name=f"identity_tracking_source_{name}")


def _clients(request: HttpRequest) -> dict[str, str]:
    """Return where clients are pointed: nowhere, where the admin's host has no such URLs."""
    try:
        endpoint = request.build_absolute_uri(reverse("identity_tracking:endpoint"))
    except NoReverseMatch:
        return {}
    here = endpoint.removesuffix(conf.ENDPOINT)
    return {"here": here, "endpoint": conf.ENDPOINT, "script": conf.SCRIPT}
