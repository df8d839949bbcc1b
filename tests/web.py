"""A browser, as the server sees one: its headers, its cookies, and what the script posts."""

from __future__ import annotations

import itertools
import json
from http.cookies import SimpleCookie
from urllib.parse import unquote

from django.test import Client

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
ENDPOINT = "/people/visit/"

_numbers = itertools.count()


class Browser(Client):
    """Django's test client with a browser's headers; ``cookies`` become its own."""

    def __init__(self, *, headers=None, **cookies):
        super().__init__(headers={"user-agent": FIREFOX, **(headers or {})})
        self.cookies = SimpleCookie({f"_{name}": value for name, value in cookies.items()})

    @property
    def anonymous_id(self):
        return self._value("_cioanonid")

    @property
    def person_id(self):
        return unquote(self._value("_cioid"))

    def open(self, url, **headers):
        """Navigate to ``url`` as somebody who clicked."""
        return self.get(url, headers={"sec-fetch-mode": "navigate", **headers})

    def send(self, *messages, **body):
        """Post ``messages`` as the script does, with whatever else the ``body`` is to hold."""
        return self.post_text(json.dumps({"site_id": "shop", "messages": messages, **body}))

    def post_text(self, text, **options):
        return self.post(ENDPOINT, text, content_type="text/plain;charset=UTF-8", **options)

    def _value(self, name):
        return self.cookies[name].value if name in self.cookies else ""


def said(type="page", **fields):
    """Return a message as the script makes one."""
    return {
        "type": type,
        "message_id": f"m-{next(_numbers)}",
        "url": "http://testserver/",
        **fields,
    }


def track(name="clicked", **fields):
    return said("track", name=name, **fields)


def identify(id=None, **fields):
    return said("identify", id=id, **fields)


def configure(settings, **changes):
    """Change the app's settings for one test."""
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, **changes}
