"""Nothing that was sent leaks into a log or to another host, and nobody erased comes back."""

from __future__ import annotations

import json
import logging
import socket

import pytest

from identity_tracking import erase, merge, shortcuts
from identity_tracking.models import Activity, Identifier, Person
from tests.attacks.entrances import ENTRANCES
from tests.web import Browser, configure, identify

pytestmark = pytest.mark.django_db

TARGETS = [
    *("http://127.0.0.1:18500/", "http://[::1]/", "http://169.254.169.254/latest/meta-data/"),
    *("http://0x7f000001/", "http://localtest.me/", "gopher://127.0.0.1"),
    *("http://evil.example/302-to-127", "file:///etc/passwd"),
]


@pytest.mark.case("DOS-12")
@pytest.mark.parametrize("name", ENTRANCES)
def test_no_log_tells_what_was_sent(name, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    entrance = ENTRANCES[name]
    told = {"email": "secret@shop.test", "card": "4111111111111111"}

    for bad in ({}, {"time": '"secret@shop.test"'}, {"data": '"secret@shop.test"'}):
        event = {"name": r'"x\n[CRITICAL] forged"', "data": json.dumps(told), **bad}
        answer = entrance.post(
            entrance.event(**event, id='"secret-id"'),
            **{"user-agent": "Firefox secret-browser", "cookie": "_cioid=secret-cookie"},
        )
        assert answer.status_code in {200, 207, 400}

    lines = [record.getMessage() for record in caplog.records if record.name != "asyncio"]
    assert [line for line in lines if "\n" in line or "forged" in line] == []
    assert [line for line in lines if "secret" in line or "4111" in line] == []


@pytest.mark.case("DOS-11")
def test_no_address_that_was_sent_is_ever_asked_for(monkeypatch):
    asked = []

    def note(*args, **kwargs):
        asked.append(args)
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", note)
    monkeypatch.setattr(socket.socket, "connect", note)
    for url in TARGETS:
        data = {"avatar": url, "webhook": url}
        assert Browser().send(identify("u-9", url=url, data=data)).status_code == 200

    assert Person.objects.get().attributes == {"avatar": TARGETS[-1], "webhook": TARGETS[-1]}
    assert asked == []


@pytest.mark.case("CACHE-10")
@pytest.mark.parametrize("agent", ["Googlebot/2.1", "Mozilla/5.0 Firefox/140.0"])
def test_a_flood_of_pages_makes_no_row(agent, django_assert_num_queries):
    with django_assert_num_queries(0):
        for _ in range(100):
            assert Browser(headers={"user-agent": agent}).get("/").status_code == 200

    assert not Identifier.objects.exists()
    assert not Activity.objects.exists()


@pytest.mark.case("PRIV-04", "PRIV-12")
@pytest.mark.parametrize("name", ENTRANCES)
def test_who_was_merged_and_erased_comes_back_by_no_entrance(name, settings):
    configure(settings, SUPPRESSION_KEY="a key of the tests")
    entrance = ENTRANCES[name]
    assert entrance.post(entrance.event()).status_code == 200
    shortcuts.identify(None, id="u-1", email="ada@shop.test", anonymous_id="a-1")
    shortcuts.identify(None, id="u-2")
    ada, other = Person.objects.get(user_id="u-2"), Person.objects.get(user_id="u-1")
    merge(ada, other)
    erase(ada)

    answers = [
        entrance.post(entrance.event(**fields))
        for fields in ({}, {"id": '"u-1"'}, {"id": '" u-2 "'}, {"email": '"ADA@Shop.Test"'})
    ]

    assert {answer.status_code for answer in answers} == {200}
    assert not any(answer.json().get("errors") for answer in answers)
    assert not Activity.objects.exists()
    assert not Person.objects.exists()
    assert not Identifier.objects.exists()


@pytest.mark.case("AUTH-04")
@pytest.mark.parametrize("name", ["track-1", "track-2"])
def test_nothing_is_told_by_options(name):
    entrance = ENTRANCES[name]

    answer = Browser(headers={"authorization": entrance.key}).options(entrance.path)

    assert answer.status_code == 405
