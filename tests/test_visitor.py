from __future__ import annotations

import asyncio

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth.models import AnonymousUser, User
from django.test import RequestFactory

from identity_tracking import identify
from identity_tracking.identifiers import names
from identity_tracking.models import Person
from identity_tracking.visitor import Visitor
from tests.web import FIREFOX, Browser, configure

BOTS = [
    "Googlebot/2.1 (+http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 (compatible; YandexBot/3.0)",
    "Mozilla/5.0 (compatible; Yahoo! Slurp)",
    "Baiduspider+(+http://www.baidu.com/search/spider.htm)",
    "facebookexternalhit/1.1",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "SkypeUriPreview Preview/0.5",
    "python-requests/2.32",
    "curl/8.5.0",
    "Wget/1.21",
    "Go-http-client/2.0",
    "UptimeRobot/2.0 monitor",
]
BROWSERS = [
    FIREFOX,
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 14; CUBOT X30) AppleWebKit/537.36 Chrome/140.0 Safari/537.36",
    "",
]


def visitor(user=None, agent=FIREFOX, path="/", **cookies):
    request = RequestFactory(headers={"user-agent": agent}).get(path)
    request.COOKIES = {f"_{name}": value for name, value in cookies.items()}
    request.user = user or AnonymousUser()
    return Visitor(request)


@pytest.fixture
def ada(db):
    return User.objects.create_user("ada", "ada@example.com")


@pytest.mark.parametrize("agent", BOTS)
def test_a_bot_is_known_by_its_name(agent):
    assert visitor(agent=agent).is_bot
    assert not visitor(agent=agent).may_be_recorded()


@pytest.mark.parametrize("agent", BROWSERS)
def test_a_browser_is_no_bot(agent):
    assert visitor(agent=agent).may_be_recorded()


def test_a_new_visitor_has_one_id_for_the_whole_request():
    new = visitor()

    assert new.cookie_anonymous_id is None
    assert new.anonymous_id == new.anonymous_id


def test_an_id_made_up_is_told_from_one_that_came():
    assert visitor(cioanonid="a-1").cookie_anonymous_id == visitor(cioanonid="a-1").anonymous_id


@pytest.mark.django_db
@pytest.mark.parametrize("cookie", ["42", "ada%40example.com", "ADA%40Example.com", "cio_id"])
def test_the_claimed_person_is_whom_the_cookie_names(cookie):
    person = identify(None, id="42", email="ada@example.com")
    assert person is not None

    claimed = visitor(cioid=f"cio_{person.cio_id}" if cookie == "cio_id" else cookie).claimed_person

    assert claimed == person


@pytest.mark.django_db
def test_reading_creates_nobody():
    nobody = visitor(cioid="42", cioanonid="a-1")

    assert (nobody.claimed_person, nobody.person) == (None, None)
    assert Person.objects.count() == 0


def test_the_person_is_the_sessions_user(ada):
    person = identify(None, id=ada.pk)

    assert visitor(ada).person == person


def test_it_is_looked_up_once(ada, django_assert_num_queries):
    identify(None, id=ada.pk)
    known = visitor(ada, cioid=str(ada.pk))

    with django_assert_num_queries(2):
        for _ in range(3):
            assert known.person == known.claimed_person


def test_async_views_have_methods_of_their_own(ada):
    identify(None, id=ada.pk)
    known = visitor(ada, cioid=str(ada.pk))

    async def view():
        return await known.aperson(), await known.aclaimed_person()

    assert len(set(async_to_sync(view)())) == 1


def test_what_must_not_block_is_logged_and_not_raised(ada, caplog):
    async def view():
        return visitor(cioid="42").claimed_person

    assert asyncio.run(view()) is None
    assert "SynchronousOnlyOperation" in caplog.text


# Whom a message is from


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, ("7", True)),
        ({"id": "7"}, ("7", True)),
        ({"email": "ada@example.com"}, ("7", True)),
        ({"anonymous_id": "a-1"}, ("7", True)),
        ({"id": "8"}, ("8", False)),
        ({"id": "ada@example.com"}, ("7", True)),
    ],
    ids=str,
)
def test_the_session_counts_unless_the_page_names_another(said, expected):
    called, proven = visitor(User(pk=7)).who(names(**said))

    assert called.id is not None
    assert (called.id.value, proven) == expected


def test_a_cio_id_is_the_pages_word():
    called, proven = visitor(User(pk=7)).who(names(id="cio_0a1b"))

    assert (called.cio_id, called.id, proven) == ("0a1b", None, False)


def test_without_a_session_everything_is_the_pages_word():
    called, proven = visitor().who(names(id="8"))

    assert called.id is not None
    assert (called.id.value, proven) == ("8", False)


def test_who_may_not_be_identified_proves_nothing(settings):
    configure(settings, MAY_IDENTIFY=lambda request, user: False)

    assert visitor(User(pk=7)).proven is None


@pytest.mark.parametrize("user_id", ["", None, 0, "null", "x" * 151])
def test_an_id_that_is_none_proves_nothing(settings, user_id):
    configure(settings, USER_ID=lambda user: user_id)

    assert visitor(User(pk=7)).proven is None


SEGMENTS = "0d5c1f5e-2f4b-4c0e-9a35-3f6b0a1c2d3e"


@pytest.mark.parametrize(
    ("sent", "taken"),
    [(SEGMENTS, True), (f"%22{SEGMENTS}%22", True), ("anything else", False), ("", False)],
    ids=["plain", "quoted", "no uuid", "none"],
)
def test_a_new_visitor_is_called_as_segments_script_calls_them(sent, taken):
    browser = Browser(headers={"cookie": f"ajs_anonymous_id={sent}"})
    browser.open("/")

    assert (browser.anonymous_id == SEGMENTS) is taken
    assert browser.anonymous_id


def test_a_visitor_who_has_an_id_keeps_it_beside_segments_script():
    browser = Browser(cioanonid="a-1")
    browser.cookies["ajs_anonymous_id"] = SEGMENTS
    browser.open("/")

    assert browser.anonymous_id == "a-1"
