from __future__ import annotations

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from identity_tracking.ingest.context import (
    MAX_TITLE,
    MAX_URL,
    clean_url,
    cut_address,
    page_context,
    peer_address,
    placed,
    request_context,
)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://shop.example/cart", "https://shop.example/cart"),
        ("https://shop.example/cart#top", "https://shop.example/cart"),
        ("https://ada:secret@shop.example/", "https://shop.example/"),
        ("https://shop.example/?token=1&utm_source=mail", "https://shop.example/?utm_source=mail"),
        ("https://shop.example/?q=red+shoes", "https://shop.example/?q=red+shoes"),
        ("/cart?session=1", "/cart"),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("https:///cart", ""),
        ("http://[broken", ""),
        (None, ""),
        ("", ""),
    ],
)
def test_of_a_url_only_what_is_no_secret_is_kept(url, kept):
    assert clean_url(url) == kept


def test_a_site_says_which_parameters_are_kept(settings):
    settings.IDENTITY_TRACKING = {"URL_PARAMETERS": ["size"]}

    assert clean_url("/shoes?size=42&q=red") == "/shoes?size=42"


def test_a_url_is_no_longer_for_being_written_anew():
    url = "https://shop.example/?q=" + "(" * 1_900

    assert len(clean_url(url)) == MAX_URL


def test_a_page_is_its_url_path_title_and_referrer():
    context = page_context(
        url="https://shop.example/cart?x=1", title="Your\ncart", referrer="https://a.example/#b"
    )

    assert context == {
        "url": "https://shop.example/cart",
        "path": "/cart",
        "title": "Your cart",
        "referrer": "https://a.example/",
    }


def test_nothing_is_kept_of_nothing():
    assert page_context() == {}


def test_a_long_title_is_cut():
    assert page_context(title="x" * 1_000) == {"title": "x" * MAX_TITLE}


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("192.0.2.44", "192.0.0.0"),
        ("2001:db8:1:2:3::4", "2001:db8:1::"),
        ("::1", "::"),
        ("unknown", ""),
        ("", ""),
    ],
)
def test_an_address_is_cut_before_it_is_kept(address, kept):
    assert cut_address(address) == kept


@pytest.mark.parametrize(
    ("proxies", "hops", "address"),
    [
        (0, "198.51.100.1", "192.0.2.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        (2, "203.0.113.9, 198.51.100.1", "203.0.113.9"),
        (3, "203.0.113.9, 198.51.100.1", "192.0.2.1"),
        (1, "", "192.0.2.1"),
    ],
)
def test_only_as_many_proxies_are_believed_as_the_site_has(settings, proxies, hops, address):
    settings.IDENTITY_TRACKING = {"TRUSTED_PROXIES": proxies}

    assert peer_address({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": hops}) == address


def test_a_request_gives_its_page_its_browser_and_its_cut_address(rf):
    request = rf.get(
        "/cart",
        headers={"user-agent": "Firefox", "referer": "https://a.example/"},
        REMOTE_ADDR="192.0.2.44",
    )

    assert request_context(request) == {
        "page": {
            "url": "http://testserver/cart",
            "path": "/cart",
            "referrer": "https://a.example/",
        },
        "ip": "192.0.0.0",
        "user_agent": "Firefox",
    }


def test_another_page_than_the_requests_own_may_be_given(rf):
    assert request_context(rf.post("/visit/"), {"path": "/cart"})["page"] == {"path": "/cart"}


def test_a_host_that_is_not_allowed_leaves_the_path(rf, settings):
    settings.ALLOWED_HOSTS = ["shop.example"]

    assert request_context(rf.get("/cart"))["page"] == {"url": "/cart", "path": "/cart"}


@given(st.text())
def test_whatever_a_browser_calls_itself_can_be_kept(name):
    context = request_context(RequestFactory().get("/", HTTP_USER_AGENT=name), {})

    assert "\0" not in context.get("user_agent", "")


@pytest.mark.parametrize(
    ("url", "said", "kept"),
    [
        (
            "/?utm_source=news&utm_medium=email&utm_campaign=fall&gclid=g1&q=beans",
            {},
            {"source": "news", "medium": "email", "name": "fall", "gclid": "g1"},
        ),
        ("/?utm_source=news", {"source": "ad", "own": "x", "term": 1}, {"source": "ad"}),
        ("/?utm_source=&q=beans", {}, None),
        ("/beans", {}, None),
    ],
    ids=["parameters", "told by the call", "empty", "none"],
)
def test_a_page_tells_the_campaign_that_led_to_it(url, said, kept):
    assert placed(page_context(url=url), said).get("campaign") == kept
