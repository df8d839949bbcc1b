from __future__ import annotations

import gzip

import pytest

from identity_tracking import assets
from tests.web import Browser

SCRIPT = "/people/visitor.js"
NAMED = f"{SCRIPT}?v={assets.version()}"


def test_the_script_is_served_as_it_was_built():
    response = Browser().get(NAMED)

    assert response.content == assets.script()
    assert response["Content-Type"] == "text/javascript; charset=utf-8"


@pytest.mark.parametrize("accepted", ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, gzip;q=0.8"])
def test_it_is_compressed_for_who_takes_gzip(accepted):
    response = Browser(headers={"accept-encoding": accepted}).get(NAMED)

    assert response["Content-Encoding"] == "gzip"
    assert gzip.decompress(response.content) == assets.script()


@pytest.mark.parametrize(
    "headers", [{}, {"accept-encoding": "br"}, {"accept-encoding": ""}], ids=str
)
def test_it_is_plain_for_who_does_not(headers):
    response = Browser(headers=headers).get(NAMED)

    assert "Content-Encoding" not in response
    assert response["Vary"] == "Accept-Encoding, Sec-GPC, DNT"


def test_under_its_own_name_it_never_changes():
    assert Browser().get(NAMED)["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", [SCRIPT, f"{SCRIPT}?v=", f"{SCRIPT}?v=old"])
def test_under_any_other_name_it_is_asked_for_again(path):
    assert Browser().get(path)["Cache-Control"] == "public, max-age=3600"


@pytest.mark.parametrize("cookies", [{}, {"cioanonid": "a-1", "cioid": "42"}])
def test_it_sets_no_cookie_and_reads_none(cookies):
    response = Browser(**cookies).get(NAMED)

    assert not response.cookies
    assert "Cookie" not in response["Vary"]


def test_head_tells_of_it():
    response = Browser().head(NAMED)

    assert (response.status_code, response.content) == (200, b"")
    assert int(response["Content-Length"]) == len(assets.script())


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_it_is_only_read(method):
    assert getattr(Browser(), method)(NAMED).status_code == 405


def test_its_name_is_of_what_it_holds():
    assert len(assets.version()) == 12
    assert assets.script_gzipped() == gzip.compress(assets.script(), mtime=0)
