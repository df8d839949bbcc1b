"""The admin for those who cannot see it, see it badly, or use no mouse: axe's rules, and Tab."""

from __future__ import annotations

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.urls import reverse

from tests.browser.screens import addresses

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

WIDE = {"width": 1280, "height": 900}
NARROW = {"width": 360, "height": 800}
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
DJANGOS = [
    ".breadcrumbs",  # its links differ from the text around them by colour alone
    "#searchbar",  # its label is an icon
]
LOOK = """
async ([rules, outside]) => {
  await Promise.all(document.getAnimations().map(one => one.finished))
  const found = await axe.run({exclude: outside}, {runOnly: rules, resultTypes: ["violations"]})
  return found.violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .flatMap(one => one.nodes.map(node => `${one.id}: ${node.target}: ${node.failureSummary}`))
}
"""
PREPARE = """
() => {
  document.activeElement.blur()
  const all = document.querySelectorAll("a, button, input, select, textarea, summary, [tabindex]")
  window.look = one => {
    const style = getComputedStyle(one)
    const told = ["outlineStyle", "outlineWidth", "boxShadow", "borderColor", "textDecorationLine"]
    return told.map(name => style[name]).join()
  }
  window.unseen = [...all].filter(one => one.checkVisibility() && one.tabIndex >= 0)
    .filter(one => !one.matches(".sortremove"))  // Django's: its sign alone changes colour
  window.looks = new Map(unseen.map(one => [one, look(one)]))
  return unseen.length
}
"""
FOCUSED = """
() => {
  const one = document.activeElement
  unseen = unseen.filter(other => other !== one)
  return looks.has(one) && look(one) === looks.get(one) ? one.outerHTML : ""
}
"""
PASS_BY = 2  # presses: the end of the page, and the beginning where something has the focus first


def faults(page, scheme, size):
    """Return what axe finds on a page that is serious or critical."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(size)
    return page.evaluate(LOOK, [RULES, DJANGOS])


def test_no_screen_has_a_serious_fault_light_or_dark_wide_or_narrow(visit, page, hostile):
    found = []

    for address in addresses(hostile):
        visit(address)
        page.evaluate(AXE_SCRIPT)
        here = [*faults(page, "light", WIDE), *faults(page, "dark", NARROW)]
        found += [f"{address} {fault}" for fault in here]

    assert found == []


@pytest.mark.parametrize("screen", ["changelist", "change", "other", "erase"])
def test_the_tab_key_reaches_everything_and_shows_where_it_is(visit, page, hostile, screen):
    args = [] if screen == "changelist" else [hostile.pk]
    visit(reverse(f"admin:identity_tracking_person_{screen}", args=args))
    unmarked = []

    for _ in range(page.evaluate(PREPARE) + PASS_BY):
        page.keyboard.press("Tab")
        unmarked.append(page.evaluate(FOCUSED))

    assert page.evaluate("unseen.map(one => one.outerHTML)") == []
    assert [html for html in unmarked if html] == []
