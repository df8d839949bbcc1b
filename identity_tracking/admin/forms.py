"""The screens of forms: how often each is filled in, and what its fields give, to be chosen."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

from django.contrib import admin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.glances import DAYS
from identity_tracking.admin.readonly import ReadOnlyAdmin, may_view
from identity_tracking.admin.sparkline import pictured
from identity_tracking.admin.values import plain, web_link
from identity_tracking.messages import Type
from identity_tracking.models import Activity, FailedEvent, Form, FormDay, FormField

if TYPE_CHECKING:
    StockInline: TypeAlias = admin.TabularInline[Any, Any]
    StockForm: TypeAlias = ModelForm[FormField]
else:
    StockInline, StockForm = admin.TabularInline, ModelForm


class FieldForm(StockForm):
    """What one field gives; its controls are called after it."""

    class Meta:
        model = FormField
        fields = ("role", "attribute")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.name_shown = name = plain(self.instance.name)
        self.attribute_shown = plain(self.instance.attribute)
        labels = {"role": _("%s: gives") % name, "attribute": _("%s: attribute") % name}
        for field, label in labels.items():
            if field in self.fields:
                self.fields[field].widget.attrs["aria-label"] = label


class FieldInline(StockInline):
    """The mapping of a form: whoever may change the form may change it."""

    model = FormField
    form = FieldForm
    template = "admin/identity_tracking/form/fields.html"
    fields = ("role", "attribute")
    ordering = ("name",)
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return may_view(request, Form)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _may(request, "change")


class FormAdmin(ReadOnlyAdmin):
    list_display = ("called", "id_shown", "lately", "state", "last_seen")
    ordering = ("-last_seen", "pk")
    inlines = (FieldInline,)
    fields = ("name", "id_shown", "page", "source", "lately", "activities", "first_seen")
    readonly_fields = ("id_shown", "page", "source", "lately", "activities", "first_seen")
    change_form_template = "admin/identity_tracking/form/page.html"

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return _may(request, "change")

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return _may(request, "delete")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return Form.objects.with_identifying()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        hidden = () if may_view(request, Activity) else ("activities",)
        return [name for name in self.fields if name not in hidden]

    def complete(self, request: HttpRequest, rows: Sequence[Any]) -> None:
        counted = _counts([form.pk for form in rows])
        for form in rows:
            form.glance = pictured(counted[form.pk], days=DAYS)

    def sections(self, request: HttpRequest, shown: Any) -> dict[str, Any]:
        failed = ""
        if may_view(request, FailedEvent):
            listed = "admin:identity_tracking_failedevent_changelist"
            failed = reverse(listed, query={"code": "no_identifier"})
        return {"filled_in": shown, "failed": failed}

    @admin.display(description=_("form"))
    def called(self, form: Form) -> str:
        return plain(str(form))

    @admin.display(description=_("form id"))
    def id_shown(self, form: Form) -> str:
        return plain(form.form_id)

    @admin.display(description=_("page"))
    def page(self, form: Form) -> SafeString | str:
        return web_link(form.url)

    @admin.display(description=_("last 30 days"))
    def lately(self, form: Any) -> SafeString:
        glance = "admin/identity_tracking/_glance.html"
        return render_to_string(glance, {"sparkline": form.glance})

    @admin.display(description=_("says who it is"))
    def state(self, form: Any) -> Any:
        if form.identifies:
            return _("yes")
        return format_html('<span class="it-badge">{}</span>', _("no field is mapped to it"))

    @admin.display(description=_("submissions"))
    def activities(self, form: Form) -> SafeString:
        listed = "admin:identity_tracking_activity_changelist"
        address = reverse(listed, query={"type": Type.FORM.value, "q": str(form)})
        return format_html('<a href="{}">{}</a>', address, _("Show the newest"))


def _may(request: HttpRequest, right: str) -> bool:
    user: Any = request.user
    return bool(user.has_perm(f"identity_tracking.{right}_form"))


def _counts(forms: Sequence[UUID]) -> dict[UUID, dict[date, int]]:
    """Return how often each of ``forms`` was submitted on each of the last days."""
    since = datetime.now(UTC).date() - timedelta(days=DAYS + 1)
    days = FormDay.objects.filter(form__in=forms, day__gte=since)
    counted: dict[UUID, dict[date, int]] = defaultdict(dict)
    for row in days:
        counted[row.form_id][row.day] = row.submissions
    return counted
