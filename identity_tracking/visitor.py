"""The visitor behind a request: two plain cookies, and who that is. The cookies prove nothing.

Reading never creates: only a message makes a person. Nothing is asked of the database, nor of
the session, before somebody asks for ``person`` or ``claimed_person``.
"""

from __future__ import annotations

import logging
import re
from dataclasses import replace
from time import monotonic
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.functional import cached_property

from identity_tracking.conf import conf
from identity_tracking.cookies import (
    ANALYTICS_COOKIE,
    ANONYMOUS_COOKIE,
    PERSON_COOKIE,
    as_sent,
    decode,
    encode,
    is_of_before,
    make_private,
    may_greet,
    reread,
    write,
)
from identity_tracking.identifiers import Names, Ref, names
from identity_tracking.ingest.transaction import database, reachable
from identity_tracking.models import Person
from identity_tracking.privacy import consent

if TYPE_CHECKING:
    from collections.abc import Callable

SESSION_KEY = "identity_tracking_identified"
PROMPT = 1.0  # seconds: while a browser waits for longer, its visitor may log out in another tab

_BOT = re.compile(
    r"(?<!cu)bot\b|crawl|spider|slurp|facebookexternalhit|preview|lighthouse|pingdom|monitor"
    r"|curl|wget|python-requests|python-httpx|go-http-client|scrapy",
    re.IGNORECASE,
)
_OF_SESSION = ("user", "proven", "proven_email", "person", "_is_excluded")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

logger = logging.getLogger(__name__)


class Visitor:
    """Who is behind one request. ``request.visitor`` is one, where the middleware is installed."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self._came = monotonic()
        self._pending: dict[str, str | None] = {}
        self._is_private = False
        self._varies = False
        self._has_parted = False
        self._left: Ref | None = None

    @cached_property
    def anonymous_id(self) -> str:
        """The browser's anonymous id; where it has none its cookie is set.

        To a new one, or to Segment's, so that what both keep of a visitor goes together.
        """
        known = self.cookie_anonymous_id
        if known is None:
            known = self._analytics_id or str(uuid4())
            self._pending[ANONYMOUS_COOKIE] = known
        return known

    @property
    def _analytics_id(self) -> str | None:
        """The anonymous id that Segment's script keeps: encoded, and in quotes, or neither."""
        sent = decode(self.request.COOKIES.get(ANALYTICS_COOKIE, "")).strip('"')
        return sent if _UUID.fullmatch(sent) else None

    @cached_property
    def cookie_anonymous_id(self) -> str | None:
        """The anonymous id that the browser sent, if it is one."""
        sent = self.request.COOKIES.get(ANONYMOUS_COOKIE)
        if sent is None or _UUID.fullmatch(sent):  # nearly all: what we and the script make
            return sent
        ref = names(anonymous_id=sent).anonymous_id
        return ref.value if ref else None

    @cached_property
    def claimed_id(self) -> str:
        """What the ``_cioid`` cookie holds: an id, an email or ``cio_…``; "" without one."""
        return decode(self.request.COOKIES.get(PERSON_COOKIE, ""))

    def read_again(self, id: Any) -> Any:
        """Return an id of a message as the cookie means it, if our script read it there."""
        return reread(id, self.request.COOKIES.get(PERSON_COOKIE, ""))

    @cached_property
    def proven(self) -> Ref | None:
        """The id of the session's user, or None. Reads the session."""
        return names(id=conf.ask("USER_ID", self.user)).id if self.user else None

    @cached_property
    def proven_email(self) -> Ref | None:
        """The email of the session's user, where EMAIL_VERIFIED says that it is theirs."""
        user = self.user
        own = getattr(user, user.get_email_field_name(), None) if user else None
        email = names(email=own).email
        return email if email and conf.ask("EMAIL_VERIFIED", user) else None

    @cached_property
    def user(self) -> Any:
        """The session's user if there is one who may be identified, else None."""
        user = getattr(self.request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        return user if conf.ask("MAY_IDENTIFY", self.request, user, otherwise=True) else None

    @cached_property
    def person(self) -> Person | None:
        """The *proven* person: the session's user. Safe to show their data to the browser."""
        with harmless("looking up the person of a session"):
            if self.has_session or self.proven:  # without either nothing is asked of the database
                return _look_up(lambda: self.proven and Person.objects.owner(self.proven))
        return None

    @cached_property
    def claimed_person(self) -> Person | None:
        """Whom the unsigned ``_cioid`` cookie names: never show their data to the browser."""
        if not self.claimed_id:
            return None
        return _look_up(lambda: Person.objects.find(id=self.claimed_id))

    async def aperson(self) -> Person | None:
        """``person``, for async views."""
        return await sync_to_async(lambda: self.person)()

    async def aclaimed_person(self) -> Person | None:
        """``claimed_person``, for async views."""
        return await sync_to_async(lambda: self.claimed_person)()

    @property
    def is_bot(self) -> bool:
        return bool(_BOT.search(self.request.META.get("HTTP_USER_AGENT", "")))

    @property
    def is_speculative(self) -> bool:
        """Whether the browser asks on its own, for a page that nobody may ever see."""
        meta = self.request.META
        return "prefetch" in meta.get("HTTP_SEC_PURPOSE", "") + meta.get("HTTP_PURPOSE", "")

    def may_be_recorded(self) -> bool:
        """Say whether anything of this request is to be recorded.

        Not where ENABLED is False, of bots, without consent where it is needed, and of whom
        EXCLUDE excludes.
        """
        if not conf.ENABLED or self.is_bot or not consent.is_given(self.request):
            return False
        return not self._is_excluded

    @cached_property
    def _is_excluded(self) -> bool:
        """What EXCLUDE says; it is asked once, and again where another user logs in."""
        return bool(conf.ask("EXCLUDE", self.request))

    @property
    def objects(self) -> bool:
        """Whether the browser says that it is not to be followed (Sec-GPC, DNT)."""
        return consent.objects(self.request)

    def may_be_followed(self) -> bool:
        """Say whether to record what the browser does: not where it objects to that.

        The site's own calls may still say who is logged in, and what they did.
        """
        return not self.objects and self.may_be_recorded()

    def who(self, said: Names) -> tuple[Names, bool]:
        """Return whom a message is from that itself says ``said``, and whether that is proven.

        1. an id other than the session's, or a cio_id: the page's word, unproven;
        2. the session's user: proven, and so not what the page calls them also;
        3. what it says, unproven.
        """
        names_another = said.cio_id or (said.id and said.id != self.proven)
        if self.proven is None or names_another:
            return said, False
        return replace(said.alone, id=self.proven), True

    def log_in(self, user: Any) -> None:
        """Take note that the session is another user's now."""
        self._left = None
        for name in _OF_SESSION:
            self.__dict__.pop(name, None)
        allowed = conf.ask("MAY_IDENTIFY", self.request, user, otherwise=True)
        self.user = user if allowed else None

    def log_out(self) -> None:
        """Make the browser nobody's: also where the site says of who leaves who they were."""
        with harmless("noting who logs out"):
            self._left = self.proven
        self.forget()

    @property
    def has_session(self) -> bool:
        """Whether the browser sent a session cookie that a middleware could read."""
        cookie = settings.SESSION_COOKIE_NAME in self.request.COOKIES
        return cookie and hasattr(self.request, "session")

    @property
    def has_read_session(self) -> bool:
        return "user" in self.__dict__

    @property
    def is_unidentified(self) -> bool:
        """Whether the session's user logged in before this app could see it."""
        session = getattr(self.request, "session", None)
        return (
            self.proven is not None
            and session is not None
            and session.get(SESSION_KEY) != self.proven.value
        )

    @property
    def claims_another(self) -> bool:
        """Whether the browser says that it is somebody else's than the session's user."""
        return bool(self.claimed_id) and names(id=self.claimed_id).id != self.proven

    def mark_identified(self) -> None:
        """Remember in the session that its user was identified."""
        session = getattr(self.request, "session", None)
        if session is not None and self.proven is not None:
            session[SESSION_KEY] = self.proven.value

    def become(self, value: str) -> None:
        """Remember in the browser who this is: an id, an email or ``cio_…``.

        The rest of the request is theirs too, whatever its cookie said.
        """
        self._pending[PERSON_COOKIE] = encode(value)
        self.__dict__.pop("claimed_person", None)
        self.claimed_id = value

    def rotate(self) -> None:
        """Give the browser a fresh anonymous id: what follows has nothing to do with what was."""
        self.anonymous_id = str(uuid4())
        self._pending[ANONYMOUS_COOKIE] = self.anonymous_id

    def forget(self) -> None:
        """Make the browser nobody's: a fresh anonymous id, and no person."""
        self.rotate()
        self._pending[PERSON_COOKIE] = None
        for name in ("claimed_person", *_OF_SESSION):
            self.__dict__.pop(name, None)
        self.claimed_id = ""

    def renew(self) -> None:
        """Set the cookies that the browser sent once more, as sent, for another COOKIE_MAX_AGE.

        Not where its session has ended since then: a logout, or a login, has set others. Of two
        with one name the newer: the one that is where COOKIE_DOMAIN says.
        """
        if self.has_session and not self._has_session_yet():
            return
        known = self.cookie_anonymous_id
        if known and as_sent(known) == known:
            self._pending.setdefault(ANONYMOUS_COOKIE, known)
        if sent := self.request.COOKIES.get(PERSON_COOKIE):
            known = None if is_of_before(self.request) else as_sent(sent)
            self._pending.setdefault(PERSON_COOKIE, known)

    def _has_session_yet(self) -> bool:
        """Whether the session with which the request came is kept still, be it an empty one."""
        session = self.request.session
        with harmless("looking whether a session has ended"):
            now = type(session)(session.session_key)
            now.load()  # one that has ended loses its key, or is given another
            return bool(session.session_key) and now.session_key == session.session_key
        return False

    @property
    def is_prompt(self) -> bool:
        """Whether the answer comes so soon that its cookies meet the browser as it was.

        A later one would bring back whom a logout or a reset in another tab has let go since.
        """
        return monotonic() - self._came < PROMPT

    def keep_quiet(self) -> None:
        """Set none of the cookies that changed; what is stored stays stored."""
        self._pending.clear()

    def ask_for_privacy(self) -> bool:
        """Have the response made private, unless it is on its way already; say whether it will be.

        Nor does Django's ``cache_page`` keep it, which stores a page before the middleware sees it.
        """
        if not self._has_parted:
            self._is_private = True
            self.request._cache_update_cache = False  # type: ignore[attr-defined]
        return self._is_private

    def ask_to_vary(self) -> bool:
        """Have the response vary by cookie; say whether the page may depend on the visitor.

        It may not once it is on its way, nor where the site's own cache is about to keep it.
        """
        is_kept = getattr(self.request, "_cache_update_cache", False)
        self._varies = self._varies or not (is_kept or self._has_parted)
        return self._varies

    def part(self, response: HttpResponseBase) -> None:
        """Make ``response`` what was asked for, private or varying. Then it is too late to ask."""
        self._has_parted = True
        if self._is_private:
            make_private(response)
        if self._varies:
            patch_vary_headers(response, ["Cookie"])

    def remember(self, response: HttpResponseBase) -> None:
        """Set on ``response`` the cookies that changed, and a new visitor's where that is safe.

        A response that carries one is private and varies by cookie, so no cache hands it on.
        """
        if self._left and self._pending.get(PERSON_COOKIE) == encode(self._left.value):
            self.forget()
        if not self._pending and self._is_to_be_greeted(response):
            self.anonymous_id  # noqa: B018
        if self._is_to_be_forgotten(response):
            self._pending = dict.fromkeys((ANONYMOUS_COOKIE, PERSON_COOKIE))
        if self._pending and not self.may_be_followed():
            self._pending = self._cookies_to_delete()
        if not self._pending:
            return
        write(self.request, response, self._pending)

    def _is_to_be_greeted(self, response: HttpResponseBase) -> bool:
        """Whether a visitor without a cookie gets one with ``response``."""
        return (
            self.cookie_anonymous_id is None
            and may_greet(self.request, response)
            and not self.is_speculative
            and self.may_be_followed()
        )

    def _is_to_be_forgotten(self, response: HttpResponseBase) -> bool:
        """Whether cookies that the browser has are to go: it objects, or there is no consent."""
        sent = self.request.COOKIES
        return (
            (ANONYMOUS_COOKIE in sent or PERSON_COOKIE in sent)
            and conf.ENABLED
            and not consent.allows(self.request)
            and may_greet(self.request, response)
        )

    def _cookies_to_delete(self) -> dict[str, str | None]:
        """Return what is still done to the cookies of somebody who may not be recorded."""
        sent = self.request.COOKIES
        return {name: value for name, value in self._pending.items() if not value and name in sent}


class harmless:  # noqa: N801  as contextlib.suppress; a class, as each page enters one
    """Log what goes wrong inside, be it in a hook of the site's: tracking never breaks its page."""

    def __init__(self, doing: str) -> None:
        self.doing = doing

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> bool:
        if not isinstance(error, Exception):
            return False
        logger.error("This failed, and was left out: %s.", self.doing, exc_info=error)
        return True


def _look_up(find: Callable[[], Person | None]) -> Person | None:
    """Ask the database; where that fails the host's page goes on without an answer."""
    with harmless("looking up the person of a request"), reachable(database()):
        return find()
    return None
