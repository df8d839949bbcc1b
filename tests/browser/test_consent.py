"""Consent and objection on a whole site: nothing is kept before a yes, and what waited after it."""

from __future__ import annotations

import pytest

from identity_tracking.models import Activity
from tests.browser.test_site import READY, eventually, named
from tests.web import ENDPOINT, configure

pytestmark = [
    pytest.mark.browser("chromium", "firefox"),
    pytest.mark.django_db(transaction=True),
]

AGREE = """script => {
  document.cookie = 'choice=yes; path=/'
  const added = document.createElement('script')
  for (const [name, value] of Object.entries(script)) added.setAttribute(name, value)
  document.head.append(added)
}"""
NOTHING: tuple[set[str], list[str]] = (set(), [])


@pytest.fixture
def visit(live_server, page, settings):
    """Open a page of a site with this CONSENT; the script, if any, has run then."""

    def visit(path="/", consent="off"):
        configure(settings, CONSENT=consent, CONSENT_COOKIE="choice=yes")
        page.goto(live_server.url + path)
        return page

    return visit


def kept(page):
    """Return the names of the cookies, and the types of what is stored."""
    cookies = {cookie["name"] for cookie in page.context.cookies()}
    return cookies, list(Activity.objects.values_list("type", flat=True))


def test_38_what_a_page_without_the_snippet_queued_flows_after_a_yes(visit):
    page = visit(consent="required")
    page.evaluate("window._cio = [['track', 'early']]")
    assert kept(page) == NOTHING

    page.evaluate(AGREE, {"id": "cio-tracker", "src": "/people/visitor.js", "data-site-id": "shop"})

    named("early")
    assert kept(page)[0] == {"choice", "_cioanonid"}


def test_38_what_a_page_that_is_one_for_all_queued_flows_after_a_yes(visit):
    page = visit("/cached/", consent="required")
    waiting = page.evaluate("_cio.track('early'), _cio.length")
    assert (waiting, kept(page)) == (1, NOTHING)

    page.evaluate(AGREE, {"src": page.locator("script#cio-tracker").get_attribute("src")})

    named("early")
    assert kept(page)[0] == {"choice", "_cioanonid"}


def test_38_after_a_no_calls_are_answered_and_the_next_page_keeps_nothing(visit):
    page = visit(consent="opt-out")
    page.wait_for_function(READY)
    eventually(Activity.objects.exists)

    page.evaluate("document.cookie = 'choice=no; path=/'")
    with page.expect_response(f"**{ENDPOINT}") as answer:
        page.evaluate("_cio.track('refused')")
    assert answer.value.ok
    page.reload()

    assert page.evaluate("_cio.track('unheard'), _cio.length") == 1
    assert kept(page) == ({"choice"}, ["page"])


@pytest.mark.parametrize("signal", ["Sec-GPC", "DNT"])
def test_38_of_a_browser_that_objects_nothing_is_kept(page, visit, signal):
    page.set_extra_http_headers({signal: "1"})
    visit()

    assert page.evaluate("_cio.track('unheard'), _cio.length") == 1
    assert kept(page) == NOTHING
