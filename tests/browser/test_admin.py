"""The admin in a real browser: what visitors sent stays text, light and dark, wide and narrow."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from identity_tracking import merge
from identity_tracking.ingest.process import process
from identity_tracking.models import Claim, MergeOperation
from tests.admin.test_hostile_values import HOSTILE
from tests.saying import identify, page, person, relate, track

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

POLICY = "default-src 'self'"
WATCH = """
window.violations = []
document.addEventListener('securitypolicyviolation', event => violations.push(event.blockedURI))
"""


@pytest.fixture(autouse=True)
def _strict(settings):
    """Forbid all that is not the site's own, inline code and styles included."""
    settings.MIDDLEWARE = ["tests.browser.test_admin.strict", *settings.MIDDLEWARE]
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "SUPPRESSION_KEY": "k" * 32}


def strict(get_response):
    def middleware(request):
        response = get_response(request)
        response["Content-Security-Policy"] = POLICY
        return response

    return middleware


@pytest.fixture
def hostile():
    """Make somebody whose every part was sent by somebody hostile, on a shared browser."""
    told = {f"hostile {n}": value for n, value in enumerate(HOSTILE)}
    values = {**told, "first_name": HOSTILE[0], "last_name": HOSTILE[2], HOSTILE[1]: [HOSTILE]}
    browser, context = HOSTILE[2], {"page": {"url": HOSTILE[3], "title": HOSTILE[0]}}
    process([identify(id=HOSTILE[0], anonymous_id=browser, at=1, properties=values, trusted=True)])
    process([page(anonymous_id=browser, context=context, at=at) for at in (0, 2)])
    process([identify(id="other", anonymous_id=browser, at=3, properties=values)])
    process([track(id=HOSTILE[0], name=value, properties=told, at=4) for value in HOSTILE])
    process([identify(id=HOSTILE[0], properties=dict.fromkeys(told, "claimed"), at=5)])
    process([relate(HOSTILE[0], id=HOSTILE[0], role=HOSTILE[1], at=6)])
    process([identify(id="gone", properties=values)])
    merge(person(id=HOSTILE[0]), person(id="gone"), by=HOSTILE[0], reason=HOSTILE[0])
    return person(id=HOSTILE[0])


@pytest.fixture
def visit(live_server, context, page):
    """Open a page of the admin, as staff; return what the browser refused, and was asked."""
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    cookie = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": live_server.url}])
    page.add_init_script(WATCH)
    dialogs = []

    def refuse(dialog):
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", refuse)

    def visit(path):
        answer = page.goto(live_server.url + path, wait_until="networkidle")
        assert answer.status == 200
        return [*page.evaluate("violations"), *dialogs]

    return visit


def addresses(shown):
    """Return the person's page, and all that staff may do from there."""
    other = person(id="other")
    claim = Claim.objects.filter(weak__value=HOSTILE[2]).earliest("pk")
    operation = MergeOperation.objects.get()
    name = "admin:identity_tracking_"
    return [
        reverse(f"{name}person_change", args=[shown.pk]),
        reverse(f"{name}person_change", args=[shown.pk], query={"name": HOSTILE[0]}),
        reverse(f"{name}person_changelist"),
        reverse(f"{name}person_other", args=[shown.pk], query={"q": "other"}),
        reverse(f"{name}person_merge", args=[shown.pk, other.pk]),
        reverse(f"{name}person_export", args=[shown.pk]),
        reverse(f"{name}person_delete", args=[shown.pk]),
        reverse(f"{name}person_erase", args=[shown.pk]),
        reverse(f"{name}mergeoperation_changelist"),
        reverse(f"{name}mergeoperation_change", args=[operation.pk]),
        reverse(f"{name}mergeoperation_undo", args=[operation.pk]),
        reverse(f"{name}identifier_change", args=[claim.weak_id]),
        reverse(f"{name}claim_void", args=[claim.pk]),
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_hostile_values_open_nothing_and_break_no_policy(visit, page, hostile, scheme):
    page.emulate_media(color_scheme=scheme)

    refused = {address: visit(address) for address in addresses(hostile)}

    assert not {address: found for address, found in refused.items() if found}


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_the_screen(visit, page, hostile, width):
    page.set_viewport_size({"width": width, "height": 900})
    wide = {}

    for address in addresses(hostile):
        visit(address)
        wide[address] = page.evaluate("document.documentElement.scrollWidth")

    assert not {address: found for address, found in wide.items() if found > width}


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
