"""Other origins: a collector elsewhere, a frame of another site, paths with other names."""

from __future__ import annotations

import pytest

from tests.browser.conftest import Answer

pytestmark = pytest.mark.browser("chromium", "firefox")

STORED = "Object.keys(localStorage).filter(key => key.length > 9).length"


def test_42_another_origin_is_posted_to_without_a_preflight(site, page):
    shop = site.url("", host="shop.test")
    allowed = [
        ("Access-Control-Allow-Origin", shop),
        ("Access-Control-Allow-Credentials", "true"),
    ]
    site.otherwise = Answer(headers=tuple(allowed))
    site.add("/", endpoint=site.url("/people/visit/", host="collector.test"))

    page.goto(f"{shop}/")

    site.wait(lambda: site.of("page"))
    page.wait_for_function(f"{STORED} === 0")  # the answer was read
    assert site.posts[0].headers["Host"].startswith("collector.test")
    assert [post.headers["Origin"] for post in site.posts] == [shop]


def test_43_a_frame_of_another_site_is_one_visitor_a_page(site, context, page):
    site.add("/inner", "<script>_cio.track('early'), _cio.identify('7')</script>")
    site.pages["/"] = f'<iframe src="{site.url("/inner", host="widget.test")}"></iframe>'

    page.goto(site.url(host="shop.test"))

    view = site.wait(lambda: site.of("page"))[0]
    assert (view["id"], view["url"]) == ("7", site.url("/inner", host="widget.test"))
    assert view["anonymous_id"] == site.wait_for("early")["anonymous_id"]
    assert not [cookie for cookie in context.cookies() if "shop" in cookie["domain"]]


def test_46_the_site_names_its_paths(site, page):
    url = site.add("/", endpoint="/hello/")
    site.pages["/"] = site.pages["/"].replace("/people/visitor.js", "/js/app.js")

    page.goto(url)

    assert site.wait(lambda: site.posts)[0].path == "/hello/"
    assert "/people/visitor.js" not in site.fetched
