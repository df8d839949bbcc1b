"""The tests' site in a process of its own, and what it answers over real HTTP."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from http.cookies import SimpleCookie
from pathlib import Path

from tests.web import ENDPOINT, FIREFOX

ROOT = Path(__file__).resolve().parent.parent


class Answer:
    def __init__(self, response, seconds):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()
        self.seconds = seconds
        self.cookies: SimpleCookie = SimpleCookie()
        for line in response.headers.get_all("Set-Cookie", []):
            self.cookies.load(line)


class Site:
    """A site of the given settings; ``environ`` adds to the process's environment."""

    def __init__(self, home, settings, **environ):
        self.home = home
        self.environ = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": f"tests.settings.{settings}",
            "PYTHONPATH": str(ROOT),
            **environ,
        }

    def migrate(self):
        command = [sys.executable, "-m", "django", "migrate", "--verbosity=0"]
        subprocess.run(command, cwd=self.home, env=self.environ, check=True)  # noqa: S603

    def start(self, interface="wsgi"):
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "tests.site.serve", interface, str(self.port)]
        self.process = subprocess.Popen(  # noqa: S603
            command, cwd=self.home, env=self.environ, stderr=subprocess.DEVNULL
        )
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                break
            except OSError:
                time.sleep(0.1)

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def get(self, path, **headers):
        return self._ask("GET", path, None, headers)

    def send(self, *messages, **headers):
        body = json.dumps({"site_id": "shop", "messages": messages})
        return self._ask("POST", ENDPOINT, body, {"content-type": "text/plain", **headers})

    def _ask(self, method, path, body, headers):
        headers = {"user-agent": FIREFOX, **headers}
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        began = time.monotonic()
        connection.request(method, path, body, headers)
        answer = Answer(connection.getresponse(), time.monotonic() - began)
        connection.close()
        return answer
