from __future__ import annotations

import socket
import time
from contextlib import contextmanager

import pytest

from tests.databases import MariaDB, PostgreSQL
from tests.sites import Site
from tests.web import said

pytestmark = pytest.mark.slow

SOON = 0.5  # seconds: nothing was waited for
LATE = 3  # seconds: what a client of a database that does not answer may wait
needs_driver = pytest.mark.skipif(not MariaDB.has_driver(), reason="needs mysqlclient")
SESSION = "sessionid=0123456789abcdefghijklmnopqrstuv; "


def silent_postgres(home):
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    port = str(listener.getsockname()[1])
    return listener, {"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "postgres"}


def silent_mariadb(home):
    path = str(home / "silent")
    listener = socket.create_server(path, family=socket.AF_UNIX, backlog=100)
    return listener, {"MYSQL_UNIX_PORT": path}


@pytest.fixture(
    params=[
        (PostgreSQL, silent_postgres),
        pytest.param((MariaDB, silent_mariadb), marks=needs_driver),
    ],
    ids=["postgres", "mariadb"],
)
def black_hole(request, tmp_path):
    """A site whose database takes connections and never says a word; no timeout is set."""
    kind, silent = request.param
    listener, environ = silent(tmp_path)
    with listener:
        site = Site(tmp_path, kind.TIER, **environ)
        site.start()
        site.get("/plain/")  # the first request loads what the others find there
        yield site
        site.stop()


@pytest.fixture(scope="module", params=[PostgreSQL, MariaDB], ids=lambda kind: kind.TIER)
def database(request):
    if reason := request.param.missing():
        pytest.skip(reason)
    server = request.param()
    server.start()
    server.create("identity_tracking")
    yield server
    server.stop()


@pytest.fixture(scope="module")
def site(database, tmp_path_factory):
    site = Site(tmp_path_factory.mktemp("site"), database.TIER, **database.environ)
    site.migrate()
    site.start()
    yield site
    site.stop()


@contextmanager
def stopped(database):
    database.halt()
    try:
        yield
    finally:
        database.resume()


def post(site, cookie=""):
    return site.send(said(anonymous_id="a-1"), cookie=f"{cookie}_cioanonid=a-1")


def test_pages_that_ask_nothing_notice_nothing(black_hole):
    for cookie in ("", "_cioanonid=a-1; _cioid=42", SESSION):
        page = black_hole.get("/", cookie=cookie)

        assert page.status == 200
        assert page.seconds < SOON


def test_pages_that_ask_who_it_is_are_served_without_an_answer(black_hole):
    pages = [black_hole.get("/who/", cookie="_cioanonid=a-1; _cioid=42") for _ in range(4)]

    assert {page.status for page in pages} == {200}
    assert b"Claimed: <b></b>" in pages[0].body
    assert max(page.seconds for page in pages) < LATE
    assert pages[-1].seconds < SOON


def test_a_personal_link_leads_to_its_page_all_the_same(black_hole):
    page = black_hole.get("/?_cio_id=" + "0" * 32, **{"sec-fetch-mode": "navigate"})

    assert page.status == 200
    assert page.seconds < LATE


@pytest.mark.parametrize("cookie", ["", SESSION], ids=["nobody", "session"])
def test_the_endpoint_says_soon_that_it_cannot(black_hole, cookie):
    answers = [post(black_hole, cookie) for _ in range(4)]

    assert {answer.status for answer in answers} == {503}
    assert max(answer.seconds for answer in answers) < LATE
    assert int(answers[0].headers["Retry-After"]) == 5
    assert answers[-1].seconds < SOON
    assert 5 < int(answers[-1].headers["Retry-After"]) <= 30


@pytest.mark.case("FAULT-02")
def test_a_database_that_stops_is_503_until_it_is_back(site, database):
    assert post(site).status == 200
    slowest = []

    for _ in range(3):
        with stopped(database):
            page, who, refused = site.get("/"), site.get("/who/", cookie="_cioid=42"), post(site)
        after = post(site)

        assert (page.status, who.status, refused.status, after.status) == (200, 200, 503, 200)
        assert refused.headers["Retry-After"] == "5"
        slowest.append(max(page.seconds, who.seconds, refused.seconds))

    assert min(slowest) < SOON  # who waits does so each time; a busy machine does not
    assert max(slowest) < LATE


@pytest.mark.parametrize("database", [PostgreSQL], indirect=True)  # takes 30 seconds
def test_who_comes_again_when_told_to_is_served(site, database):
    with stopped(database):
        refusals = [post(site) for _ in range(5)]
    rest = int(refusals[-1].headers["Retry-After"])
    at_once = post(site)

    time.sleep(rest)

    assert 5 < rest <= 30
    assert at_once.status == 503
    assert post(site).status == 200
