from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse

from identity_tracking.form_fields import Role
from identity_tracking.models import Form, FormField
from tests.admin.conftest import NOON
from tests.factories import ActivityFactory, FormDayFactory, FormFactory, FormFieldFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def form():
    form = FormFactory(form_id="signup", name="Sign up", url="https://shop.example/join")
    FormFieldFactory(form=form, name="contact")
    FormFieldFactory(form=form, name="plan")
    return form


def address(form):
    return reverse("admin:identity_tracking_form_change", args=[form.pk])


def mapping(form, **roles):
    """Return what the page of a form posts, with ``roles`` by the name of a field."""
    fields = list(form.fields.order_by("name"))
    sent = {
        "name": form.name,
        "fields-TOTAL_FORMS": len(fields),
        "fields-INITIAL_FORMS": len(fields),
    }
    for n, field in enumerate(fields):
        role, _colon, attribute = roles.get(field.name, field.role).partition(":")
        sent |= {f"fields-{n}-id": field.pk, f"fields-{n}-form": form.pk}
        sent |= {f"fields-{n}-role": role, f"fields-{n}-attribute": attribute}
    return sent


@pytest.mark.usefixtures("at_noon")
def test_the_list_tells_how_often_a_form_was_filled_in_and_whether_it_says_who_it_is(staff, form):
    FormDayFactory(form=form, day=NOON.date(), submissions=3)
    FormDayFactory(form=form, day=NOON.date() - timedelta(days=29), submissions=4)
    FormDayFactory(form=form, day=NOON.date() - timedelta(days=30), submissions=5)

    assert "Sign up signup 7 no field is mapped to it" in staff.text("form")

    FormField.objects.filter(name="contact").update(role=Role.EMAIL)
    assert "Sign up signup 7 yes" in staff.text("form")


def test_the_page_says_what_is_missing_and_where_the_submissions_are(staff, form):
    ActivityFactory(type="form", name="Sign up")
    page = staff.read("form", form)

    assert "No field of this form says who fills it in." in page
    assert 'aria-label="contact: gives"' in page
    assert "?type=form&amp;q=Sign+up" in page
    assert "Sign up" in staff.text("activity", type="form", q="Sign up")


def test_staff_choose_what_a_field_gives(staff, form):
    sent = mapping(form, contact="email", plan="attribute:tariff")

    answer = staff.post(address(form), sent)

    assert answer.status_code == 302
    told = form.fields.order_by("name").values_list("name", "role", "attribute")
    assert list(told) == [("contact", "email", ""), ("plan", "attribute", "tariff")]


def test_no_field_is_made_what_says_who_somebody_is(staff, form):
    answer = staff.post(address(form), mapping(form, plan="attribute:email"))

    assert "No attribute has this name." in answer.content.decode()
    assert not form.fields.exclude(attribute="").exists()


def test_who_may_only_look_changes_nothing(staff_with, form):
    clerk = staff_with("view_form")

    page = clerk.read("form", form)
    answer = clerk.post(address(form), mapping(form, contact="email"))

    assert "contact" in page
    assert "<select" not in page
    assert "?type=form" not in page
    assert answer.status_code == 403


def test_who_may_change_a_form_may_map_its_fields(staff_with, form):
    clerk = staff_with("change_form")

    assert clerk.post(address(form), mapping(form, contact="email")).status_code == 302
    assert form.fields.get(name="contact").role == Role.EMAIL


def test_a_form_is_deleted_with_its_fields(staff, form):
    FormDayFactory(form=form)
    staff.post(reverse("admin:identity_tracking_form_delete", args=[form.pk]), {"post": "yes"})

    assert not Form.objects.exists()
    assert not FormField.objects.exists()
