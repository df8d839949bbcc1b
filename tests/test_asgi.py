from __future__ import annotations

import gzip
import re

import pytest

from identity_tracking import assets
from tests.sites import Site
from tests.web import identify, said

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["wsgi", "asgi"])
def site(request, tmp_path_factory):
    site = Site(tmp_path_factory.mktemp(request.param), "sqlite")
    site.migrate()
    site.start(request.param)
    yield site
    site.stop()


def test_a_page_is_served_with_a_cookie(site):
    page = site.get("/")

    assert page.status == 200
    assert set(page.cookies) == {"_cioanonid"}
    assert page.headers["Cache-Control"] == "private"


def test_a_known_visitors_page_is_served_without(site):
    page = site.get("/", cookie="_cioanonid=a-1; _cioid=42")

    assert not page.cookies
    assert "Vary" not in page.headers


def test_a_streaming_page_is_served_whole(site):
    page = site.get("/stream/")

    assert page.body == b"<!doctype html><title>Stream</title>"
    assert not page.cookies


def test_the_script_that_the_page_names_is_served(site):
    address = re.search(rb'src="([^"]+)"', site.get("/").body)
    assert address

    script = site.get(address[1].decode(), **{"accept-encoding": "gzip"})

    assert gzip.decompress(script.body) == assets.script()
    assert "immutable" in script.headers["Cache-Control"]
    assert not script.cookies


def test_what_the_script_sends_makes_a_person(site):
    cookie = "_cioanonid=a-1; _cioid=42"

    sent = site.send(said(anonymous_id="a-1"), identify("42", anonymous_id="a-1"), cookie=cookie)
    page = site.get("/who/", cookie=cookie)

    assert (sent.status, sent.body) == (200, b'{"success":true}')
    assert re.search(rb"Claimed: <b>[0-9a-f]{32}</b>", page.body)


def test_a_personal_link_is_followed(site):
    site.send(identify("43"))
    page = site.get("/who/", cookie="_cioid=43")
    cio_id = re.search(rb"Claimed: <b>([0-9a-f]{32})</b>", page.body)
    assert cio_id

    opened = site.get(f"/?_cio_id={cio_id[1].decode()}", **{"sec-fetch-mode": "navigate"})

    assert opened.cookies["_cioid"].value == f"cio_{cio_id[1].decode()}"


def test_junk_is_refused(site):
    assert site.send("\0").status == 400
    assert site.send(*[said()] * 501).status == 413
