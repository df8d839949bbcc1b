"""The clients, pointed at the live server, and what each call sent and made."""

from __future__ import annotations

import pytest

from tests.browser.conftest import browser, context, launch, page
from tests.clients.products import Client, Process
from tests.clients.tap import Handler, tapped
from tests.clients.telling import Call, Telling
from tests.rows import count

__all__ = ["browser", "context", "launch", "page"]


@pytest.fixture(scope="session")
def live_server(live_server):
    """Let every test's requests be told alike: clients keep a connection from one to the next."""
    live_server.thread.httpd.RequestHandlerClass = Handler
    return live_server


@pytest.fixture
def tap(live_server):
    with tapped(live_server.thread.httpd) as tap:
        yield tap


@pytest.fixture
def using(tap, request):
    """Return a product as a client to call; a run that tells what calls made is told each."""
    telling = request.config.pluginmanager.get_plugin(Telling.NAME) or Telling()
    used = []

    def using(product):
        used.append(product)

        def note(method, call):
            before, first = count(), len(tap.exchanges)
            try:
                call()
            finally:
                sent = tap.exchanges[first:]
                called = (product.name, product.version, product.spelled(method))
                telling.add(Call(*called, sent, count() - before))

        return Client(product, note)

    yield using
    for product in used:
        telling.keep(product.name, tap.exchanges)


@pytest.fixture(scope="session")
def process(live_server):
    """Return a client of another language, started once for all tests of a worker."""
    running = {}

    def process(name, key="test-key"):
        if (name, key) not in running:
            running[name, key] = Process(name, live_server.url, key)
        return running[name, key]

    yield process
    for one in running.values():
        one.stop()
