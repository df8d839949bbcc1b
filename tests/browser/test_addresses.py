"""Page views of pages that never load: single-page sites, back and forward, prerendering."""

from __future__ import annotations

import pytest

from tests.clients.products import NODE

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
HTMX = """
  <a id=boosted href=/boosted hx-boost=true hx-target="#main" hx-select=b>boosted</a>
  <button id=pushed hx-get=/pushed hx-push-url=true hx-target="#main" hx-select=b>pushed</button>
  <button id=swapped hx-get=/part hx-target="#main">swapped</button>
  <main id=main><b>whole</b></main>
"""
ANSWERED = "Object.keys(localStorage).every(key => key.length < 9)"
# Tells of itself: no driver knows at once that a page is back.
TELLING = """<script>addEventListener('pageshow', event => {
  if (event.persisted) setTimeout(() => _cio.track('restored', {same: window.same}))
})</script>"""
MOVES_OF_HTMX = [
    ("boosted.click()", "/boosted"),
    ("pushed.click()", "/pushed"),
    ("history.back()", "/boosted"),
]


def walk(site, page, moves):
    """Make every move, and return the addresses and referrers of the page views."""
    site.wait(lambda: site.of("page"))
    arrived = 1
    for script, path in moves:
        page.evaluate(f"void ({'{'} f() {'{'} {script} {'}'} {'}'}).f()")
        if path:
            arrived += 1
            site.wait(lambda count=arrived: len(site.of("page")) >= count)
    page.evaluate("_cio.track('fence')")
    site.wait_for("fence")
    return [(view["url"], view.get("referrer")) for view in site.of("page")]


def once_each(site, moves):
    """Return what ``walk`` returns where each new address is one page view."""
    urls = [site.url(path) for path in ["/", *(path for _, path in moves if path)]]
    return list(zip(urls, [None, *urls[:-1]], strict=True))


@pytest.mark.parametrize("navigation_api", [True, False], ids=["20", "21"])
def test_20_and_21_every_change_of_address_is_one_page_view(site, page, navigation_api):
    if not navigation_api:
        page.add_init_script(WITHOUT_NAVIGATION)
    page.goto(site.add("/"))

    views = walk(site, page, MOVES)

    assert views == once_each(site, MOVES)
    assert site.of("page")[1]["title"] == "A"
    assert page.evaluate("!!window.navigation") is navigation_api


@pytest.fixture
def browse(site, page):
    """Go from page to page as htmx does, after a swap that leaves the address as it is."""

    def browse(htmx):
        script = (NODE / f"node_modules/{htmx}/dist/htmx.min.js").read_text()
        for path in ("/", "/boosted", "/pushed"):
            site.add(path, HTMX, before=script)
        site.pages["/part"] = "<i>part</i>"
        page.goto(site.url())
        page.click("#swapped")
        page.wait_for_selector("i")
        return walk(site, page, MOVES_OF_HTMX)

    return browse


@pytest.mark.clients
@pytest.mark.parametrize("htmx", ["htmx-2", "htmx.org"])
def test_20_what_htmx_pushes_is_one_page_view_and_what_it_swaps_is_none(site, browse, htmx):
    assert browse(htmx) == once_each(site, MOVES_OF_HTMX)


@pytest.mark.clients  # htmx 4 sets the title later: docs/browsers.md
def test_20_such_a_page_view_has_the_title_that_htmx_2_sets(site, browse):
    browse("htmx-2")

    titles = [view["title"] for view in site.of("page")]
    assert titles == ["/", "/boosted", "/pushed", "/boosted"]


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
    site.add("/", TELLING)
    site.add("/next")
    page.goto(site.url())
    site.wait(lambda: site.of("page"))
    page.wait_for_function(ANSWERED)  # a page that waits for an answer may not be kept
    page.evaluate("window.same = true")
    page.goto(site.url("/next"))
    site.wait(lambda: site.of("page")[1:])

    page.evaluate("history.back()")

    restored = site.wait_for("restored")
    assert restored["data"]["same"], "the page was not restored but loaded"
    assert [view["url"] for view in site.of("page")] == list(map(site.url, ("/", "/next", "/")))


@pytest.fixture
def prerender(site, page):
    """Load a page that nobody sees before it is activated."""
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


def test_23_a_prerendered_page_is_silent_until_it_is_activated(site, page, prerender):
    assert (site.posts, page.context.cookies()) == ([], [])

    page.evaluate("activate()")

    site.wait(lambda: site.of("page"))
    assert [m["type"] for m in site.messages] == ["track", "page"]


def test_23_a_page_whose_address_changes_before_it_is_activated_is_one_page_view(
    site, page, prerender
):
    page.evaluate("history.replaceState({}, '', '/b'), activate(), _cio.track('fence')")

    site.wait_for("fence")
    (view,) = site.of("page")
    assert view["url"] == site.url("/b")
    assert "referrer" not in view
    page.evaluate("_cio.track('end')")
    site.wait_for("end")
    assert len(site.of("page")) == 1
