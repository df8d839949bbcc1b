"""The admin in a real browser: what visitors sent stays text, light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.urls import resolve, reverse
from playwright.sync_api import TimeoutError as NeverHappened

from identity_tracking.ingest.process import process
from identity_tracking.models import Source
from identity_tracking.sources import PREFIX
from tests.browser.screens import addresses
from tests.saying import identify, person

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

POLICY = "default-src 'self'"
WATCH = """
window.violations = []
document.addEventListener('securitypolicyviolation', event => violations.push(event.blockedURI))
"""
SETTLED = 2_000  # milliseconds: a page has taken its shape by then
DJANGOS = ("_add", "_history", "_delete")  # refused, or the admin's own log
DELETE = "identity_tracking_person_delete"  # but this is ours
POSTED = {"identity_tracking_failedevent_replay"}  # no screen: a button of one


@pytest.fixture(autouse=True)
def _strict(settings):
    """Forbid all that is not the site's own, inline code and styles included."""
    settings.MIDDLEWARE = ["tests.browser.test_admin.strict", *settings.MIDDLEWARE]


def strict(get_response):
    def middleware(request):
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return middleware


@pytest.fixture
def dialogs(page):
    """Refuse whatever dialogs a page opens, and collect what they said."""
    said = []

    def refuse(dialog):
        said.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)
    page.add_init_script(WATCH)
    return said


def routes(patterns):
    """Yield the names of all routes below ``patterns``."""
    for pattern in patterns:
        yield from routes(getattr(pattern, "url_patterns", ()))
        yield str(getattr(pattern, "name", ""))


def test_the_walk_leaves_no_screen_of_the_admin_out(hostile):
    named = [name for name in routes(admin.site.urls[0]) if name.startswith("identity_tracking_")]
    ours = {name for name in named if name == DELETE or not name.endswith(DJANGOS)}

    walked = {resolve(address.partition("?")[0]).url_name for address in addresses(hostile)}

    assert ours - POSTED - walked == set()


@pytest.mark.case("XSS-01", "XSS-02", "XSS-03", "XSS-04", "XSS-05", "XSS-06", "XSS-07", "XSS-09")
def test_hostile_values_open_nothing_and_break_no_policy(visit, page, hostile, dialogs):
    refused = {}

    for address in addresses(hostile):
        page.emulate_media(color_scheme="light")
        visit(address, wait_until="networkidle")
        page.emulate_media(color_scheme="dark")
        refused[address] = page.evaluate("violations")

    assert not {address: found for address, found in refused.items() if found}
    assert not dialogs


@pytest.mark.parametrize("language", ["en", "ar"])
def test_no_page_is_wider_than_the_screen(visit, page, hostile, settings, language):
    settings.LANGUAGE_CODE = language  # the second reads from right to left
    wide = {}

    for address in addresses(hostile):
        visit(address)
        for width in (1280, 390, 360):
            page.set_viewport_size({"width": width, "height": 900})
            if not fits(page, width):
                wide[address] = width

    assert not wide


def fits(page, width):
    """Say whether the page is no wider than that, once it has taken its new shape."""
    narrow = "width => document.documentElement.scrollWidth <= width"
    try:
        page.wait_for_function(narrow, arg=width, timeout=SETTLED)
    except NeverHappened:
        return False
    return True


@pytest.mark.usefixtures("_of_usual_names")
def test_beside_djangos_menu_the_list_of_people_shows_when_they_were_last_seen(visit, page):
    page.set_viewport_size({"width": 1280, "height": 800})
    visit(reverse("admin:identity_tracking_person_changelist"))
    page.wait_for_selector("#main.shifted")

    last = page.locator("#result_list .field-last_seen").first.bounding_box()
    shown = page.locator(".results").bounding_box()

    assert last["x"] + last["width"] <= shown["x"] + shown["width"] + 1


@pytest.fixture
def _of_usual_names():
    for id, name in ("1", "Maya"), ("2", "Xavier"):
        traits = {"first_name": name, "last_name": "Lindqvist"}
        email = f"{name}.lindqvist@example.com".lower()
        process([identify(id=id, email=email, properties=traits)])


@pytest.mark.parametrize("deed", ["delete", "erase"])
def test_a_button_that_nothing_takes_back_is_red(visit, page, hostile, deed):
    visit(reverse(f"admin:identity_tracking_person_{deed}", args=[hostile.pk]))

    button = page.locator(".submit-row input[type=submit]")

    colour = button.evaluate("button => getComputedStyle(button).backgroundColor")
    assert colour == "rgb(186, 33, 33)"


@pytest.mark.usefixtures("dialogs", "hostile")
def test_a_new_key_is_made_and_shown_by_the_keyboard_alone(visit, page):
    visit(reverse("admin:identity_tracking_source_change", args=[Source.objects.get().pk]))

    page.get_by_role("link", name="New secret key").press("Enter")
    page.get_by_label("Label").press("Enter")

    page.get_by_text("Copy it now").wait_for()
    assert page.locator(".it-key").inner_text().startswith(PREFIX)
    assert page.evaluate("violations") == []
    page.set_viewport_size({"width": 360, "height": 900})
    assert fits(page, 360)


def test_a_person_is_merged_and_parted_by_the_keyboard_alone(visit, page, hostile):
    process([identify(id="twin")])
    visit(reverse("admin:identity_tracking_person_other", args=[hostile.pk]))

    page.keyboard.type("twin")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Compare").press("Enter")
    page.get_by_label("Reason").press("Enter")
    page.get_by_text("The two are one person now.").wait_for()
    page.get_by_role("link", name="Undo").first.press("Enter")
    page.get_by_role("button", name="Undo the merge").press("Enter")

    page.get_by_text("The merge was undone.").wait_for()
    assert person(id="twin") != hostile
