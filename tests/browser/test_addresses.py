"""Page views of pages that never load: single-page sites, back and forward, prerendering."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser("chromium", "firefox")

WITHOUT_NAVIGATION = "Object.defineProperty(window, 'navigation', {value: undefined})"
MOVES = [
    ("history.pushState({}, '', '/a'); document.title = 'A'", "/a"),
    ("history.replaceState({}, '', '/b')", "/b"),
    ("history.replaceState({}, '', '/b')", None),
    ("location.hash = 'c'", "/b#c"),
    ("history.back()", "/b"),
    ("history.forward()", "/b#c"),
    ("history.go(-2)", "/"),
]


def walk(site, page):
    """Make every move, and return the addresses and referrers of the page views."""
    page.goto(site.add("/"))
    site.wait(lambda: site.of("page"))
    arrived = 1
    for script, path in MOVES:
        page.evaluate(f"void ({'{'} f() {'{'} {script} {'}'} {'}'}).f()")
        if path:
            arrived += 1
            site.wait(lambda count=arrived: len(site.of("page")) >= count)
    page.evaluate("_cio.track('fence')")
    site.wait_for("fence")
    return [(view["url"], view.get("referrer")) for view in site.of("page")]


@pytest.mark.parametrize("navigation_api", [True, False], ids=["20", "21"])
def test_20_and_21_every_change_of_address_is_one_page_view(site, page, navigation_api):
    if not navigation_api:
        page.add_init_script(WITHOUT_NAVIGATION)

    views = walk(site, page)

    paths = ["/", *(path for _, path in MOVES if path)]
    assert views == list(zip(map(site.url, paths), [None, *map(site.url, paths[:-1])], strict=True))
    assert site.of("page")[1]["title"] == "A"
    assert page.evaluate("!!window.navigation") is navigation_api


def test_20_a_call_after_a_change_of_address_has_the_page_left_as_referrer(site, page):
    page.goto(site.add("/", auto_track_page="false"))
    page.wait_for_function("_cio.cookieNamespace === '_cio'")

    page.evaluate("history.pushState({}, '', '/a'), _cio.page()")

    view = site.wait(lambda: site.of("page"))[0]
    assert (view["url"], view["referrer"]) == (site.url("/a"), site.url("/"))
    assert len(site.messages) == 1


def test_20_two_changes_in_one_task_are_two_page_views(site, page):
    page.goto(site.add("/"))
    site.wait(lambda: site.of("page"))

    page.evaluate("history.pushState({}, '', '/a'), history.pushState({}, '', '/b')")

    site.wait(lambda: len(site.of("page")) == 3)
    pairs = [(view["url"], view["referrer"]) for view in site.of("page")[1:]]
    assert pairs == [(site.url("/a"), site.url("/")), (site.url("/b"), site.url("/a"))]


def test_21_an_element_called_navigation_is_not_the_api(site, page):
    page.add_init_script("delete Window.prototype.navigation, delete window.navigation")
    page.goto(site.add("/", "<nav id=navigation></nav>"))
    site.wait(lambda: site.of("page"))

    page.evaluate("history.pushState({}, '', '/a')")

    assert site.wait(lambda: site.of("page")[1:])[0]["url"] == site.url("/a")


def test_22_a_page_restored_from_the_cache_is_one_new_page_view(site, page):
    site.add("/")
    site.add("/next")
    page.goto(site.url())
    site.wait(lambda: site.of("page"))
    page.evaluate("window.same = true")
    page.goto(site.url("/next"))
    site.wait(lambda: site.of("page")[1:])

    page.evaluate("history.back()")

    view = site.wait(lambda: site.of("page")[2:])[0]
    page.evaluate("_cio.track('fence')")
    site.wait_for("fence")
    assert view["url"] == site.url()
    assert page.evaluate("window.same"), "the page was not restored but loaded"
    assert len(site.of("page")) == 3


def test_23_a_prerendered_page_is_silent_until_it_is_activated(site, page):
    page.add_init_script("""
        let prerendering = true
        Object.defineProperty(document, 'prerendering', {get: () => prerendering})
        window.activate = () => {
          prerendering = false
          document.dispatchEvent(new Event('prerenderingchange'))
        }
    """)
    page.goto(site.add("/", "<script>_cio.track('early')</script>"))
    site.wait(lambda: "/people/visitor.js" in site.fetched)
    page.wait_for_load_state("load")
    assert (site.posts, page.context.cookies()) == ([], [])

    page.evaluate("activate()")

    site.wait(lambda: site.of("page"))
    assert [m["type"] for m in site.messages] == ["track", "page"]
