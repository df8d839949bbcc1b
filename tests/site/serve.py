"""Serve the tests' site over real HTTP: ``python -m tests.site.serve wsgi|asgi PORT``."""

from __future__ import annotations

import sys
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import uvicorn
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application


class ThreadingServer(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


def main(interface: str, port: int) -> None:
    if interface == "asgi":
        uvicorn.run(get_asgi_application(), host="127.0.0.1", port=port, log_level="warning")
    else:
        application = get_wsgi_application()
        make_server("127.0.0.1", port, application, ThreadingServer, QuietHandler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
