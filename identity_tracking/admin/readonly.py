"""What all screens share: they show, and change nothing; lists never count a whole table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR, ChangeList
from django.db.models import F, Model, OuterRef, Q, Subquery, UUIDField
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from identity_tracking.admin.paging import CappedPaginator
from identity_tracking.admin.values import plain
from identity_tracking.admin.wording import shortened
from identity_tracking.models import Identifier, Ownership

if TYPE_CHECKING:
    StockAdmin: TypeAlias = admin.ModelAdmin[Any]
else:
    StockAdmin = admin.ModelAdmin


class ReadOnlyList(ChangeList):
    """A list whose length nobody asks the database for."""

    model_admin: ReadOnlyAdmin

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        if not self.query or self.paginator.is_capped:
            self.full_result_count = self.result_count  # hides "10000 results" beside the search
        # A page that is the only one has no limit of its own, for which databases plan to sort all.
        self.result_list = list(self.result_list[: self.list_max_show_all])
        self.model_admin.complete(request, self.result_list)


class ReadOnlyAdmin(StockAdmin):
    """People and their history are computed by the identity rules, never edited by hand."""

    list_title: str | Promise | None = None  # None: the model's plural
    actions: Sequence[str] | None = None
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    sortable_by: ClassVar[tuple[str, ...]] = ()

    class Media:
        css = {"all": ["identity_tracking/admin.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def get_changelist(self, request: HttpRequest, **kwargs: object) -> type[ChangeList]:
        return ReadOnlyList

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        searched = request.GET.get(SEARCH_VAR)  # a search finds rows of every sort
        plural = self.opts.verbose_name_plural
        title = plural if searched else self.list_title or plural
        context = {"title": capfirst(str(title))} | (extra_context or {})
        return super().changelist_view(request, context)

    def get_object(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        found = super().get_object(request, *args, **options)
        if found is not None:
            self.complete(request, [found])
        return found

    def complete(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        """Load what else the rows of a page need, for all at once."""

    def render_change_form(  # type: ignore[override]
        self,
        request: HttpRequest,
        context: dict[str, Any],
        **options: Any,
    ) -> HttpResponseBase:
        shown = context["original"]
        if address := self.elsewhere(shown):
            return redirect(address)
        page = {"name": plain(str(shown)), **self.sections(request, shown)}
        return super().render_change_form(request, context | page, **options)

    def elsewhere(self, shown: Any) -> str:
        """Return the address of the page that stands for this row's, if it is another."""
        return ""

    def sections(self, request: HttpRequest, shown: Any) -> dict[str, Any]:
        """Return what the page of a row shows, as far as the one who asks may see it."""
        return {}


def may_view(request: HttpRequest, model: type[Model]) -> bool:
    """Say whether the one who asks may see rows of ``model``, by Django's own rule."""
    app, name = model._meta.app_label, model._meta.model_name
    user: Any = request.user
    return any(user.has_perm(f"{app}.{right}_{name}") for right in ("view", "change"))


def page_of(model: type[Model], key: UUID | str) -> str:
    """Return the address of the admin page of a row."""
    return reverse(f"admin:identity_tracking_{model._meta.model_name}_change", args=[key])


def link_to(model: type[Model], key: UUID | str, text: object) -> SafeString:
    return format_html('<a href="{}"><bdi>{}</bdi></a>', page_of(model, key), plain(str(text)))


def identifier_link(identifier: Identifier | None) -> SafeString | None:
    return link_to(Identifier, identifier.pk, identifier.value) if identifier else None


def short_link(identifier: Identifier) -> SafeString:
    """Return the link for a narrow column: of a long anonymous id it shows the beginning."""
    return format_html(
        '<a href="{}" title="{}"><bdi>{}</bdi></a>',
        page_of(Identifier, identifier.pk),
        plain(identifier.value),
        shortened(identifier),
    )


def owner_at(identifier: str, time: str) -> Subquery:
    """Return an expression for the key of the person who owned ``identifier`` at ``time``.

    Both are names of columns. In a gap between two people it is null, even if they merged since.
    """
    held = Ownership.objects.filter(
        Q(identifier=OuterRef(identifier), since__lte=OuterRef(time), until__gt=OuterRef(time)),
        after=None,
    ).annotate(owner=Coalesce(F("person__root"), F("person"), output_field=UUIDField()))
    return Subquery(held.values("owner")[:1], output_field=UUIDField())
