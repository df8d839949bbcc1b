"""docs/javascript.md: its examples send what stands below them, and it leaves nothing out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from identity_tracking import assets

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/javascript.md").read_text()
SOURCE = (ROOT / "identity_tracking/sdk/visitor.js").read_text()
TYPES = (ROOT / "identity_tracking/static/identity_tracking/visitor.d.ts").read_text()
EXAMPLE = re.compile(r"^```(\w+)\n(.*?)^```\n\n```json\n(.*?)^```$", re.DOTALL | re.MULTILINE)
SHOP = "https://shop.example"
OF_EVERY_MESSAGE = {"message_id", "time", "anonymous_id", "url", "title"}
INTERNAL = {"_findCustomer", "cookieNamespace", "link"}


@pytest.fixture
def examples(site):
    """The page's examples in one language, and the messages they send, on the test's site."""

    def examples(language):
        here = PAGE.replace(SHOP, site.url("", host="shop.example"))
        return [
            (code, json.loads(sent))
            for kind, code, sent in EXAMPLE.findall(here)
            if kind == language
        ]

    return examples


def await_messages(site, count):
    site.wait(lambda: len(site.messages) >= count)


def as_told(message, told):
    """Return what there is to tell of a message, and of what every message has that which is."""
    everywhere = {*OF_EVERY_MESSAGE, "referrer"} - set(told)
    assert set(message) >= OF_EVERY_MESSAGE
    return {name: value for name, value in message.items() if name not in everywhere}


def declared():
    return set(re.findall(r"^  (\w+)(?:<.*>)?\(", TYPES, re.MULTILINE))


@pytest.mark.browser
def test_each_example_sends_what_stands_below_it(site, page, examples):
    site.add("/")
    page.goto(site.url("/", host="shop.example"))
    expected = [{"type": "page", "title": "/"}]

    for code, told in [*examples("javascript"), ("_cio.track('end')", [])]:
        await_messages(site, len(expected))
        page.evaluate(f"() => {{ {code} }}")
        expected += told

    *sent, _ = site.wait_for("end") and site.messages
    assert [as_told(*pair) for pair in zip(sent, expected, strict=True)] == expected


@pytest.mark.browser
def test_the_page_without_a_template_sends_what_stands_below_it(site, page, examples):
    ((site.pages["/"], expected),) = examples("html")

    page.goto(site.url())
    site.wait(lambda: site.of("page"))

    assert [as_told(*pair) for pair in zip(site.messages, expected, strict=True)] == expected


@pytest.mark.browser
def test_every_method_is_declared(site, page):
    page.goto(site.add("/"))
    page.wait_for_function("_cio.cookieNamespace")

    assert set(page.evaluate("Object.keys(_cio)")) - INTERNAL == declared()


def test_every_method_is_told():
    headings = " ".join(re.findall("^##.*$", PAGE, re.MULTILINE))

    assert {name for name in declared() if f"`{name}(" not in headings} == {"sidentify"}
    assert "`sidentify` is the same." in PAGE


def test_every_attribute_of_the_element_is_told():
    read = {
        re.sub("[A-Z]", r"-\g<0>", name).lower() for name in re.findall(r"settings\.(\w+)", SOURCE)
    }

    assert set(re.findall(r"^\| `data-([\w-]+)`", PAGE, re.MULTILINE)) == read


def test_the_hash_is_that_of_the_inline_element():
    digest = base64.b64encode(hashlib.sha256(assets.stub().encode()).digest()).decode()

    assert f"'sha256-{digest}'" in PAGE
