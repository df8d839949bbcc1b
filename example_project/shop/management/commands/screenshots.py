"""Make the documentation's pictures from the demo. Needs the package playwright, and Chromium."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.test.testcases import LiveServerThread
from django.urls import reverse
from playwright.sync_api import Browser, FloatRect, Page, sync_playwright

from example_project.cast import GRACE, MAYA, SAM, SAM_AGAIN, Customer
from identity_tracking.models import Conflict, Person
from identity_tracking.models.conflict import Code

IMAGES = Path(__file__).resolve().parents[4] / "docs" / "images"
WIDTH = 1280  # pixels
MARGIN = 16  # pixels
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
CALM = "localStorage.setItem('django.admin.navSidebarIsOpen', 'false')"  # the admin's side bar

Scheme: TypeAlias = Literal["light", "dark"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """A page as it is looked at. ``around``: a selector of what is shown with what is near it."""

    name: str
    path: str
    height: int
    scheme: Scheme = "light"
    around: str = ""


class Command(BaseCommand):
    help = "Makes docs/images from the demo, in the database that DATABASE_URL names."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("demo", no_serve=True, stdout=self.stdout)
        program = shutil.which("chromium") or shutil.which("google-chrome")
        album, session = list(pictures()), admin_session()  # Playwright's loop forbids queries
        with served() as site, sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
            camera = Camera(browser, site, session)
            for picture in album:
                camera.take(picture)
                self.stdout.write(f"docs/images/{picture.name}.png")
            browser.close()


def pictures() -> Iterator[Picture]:
    maya, grace = key_of(MAYA), key_of(GRACE)
    sides = [key_of(SAM), key_of(SAM_AGAIN)]
    yield Picture(name="person-light", path=person("change", maya), height=1000)
    yield Picture(name="person-dark", path=person("change", maya), height=1000, scheme="dark")
    yield Picture(name="people", path=person("changelist"), height=760)
    glance = reverse("admin:identity_tracking_overview")
    yield Picture(name="overview", path=glance, height=1000)
    yield Picture(name="merge", path=person("merge", *sides), height=720)
    yield Picture(name="gap", path=person("change", grace), height=600, around=".it-gap")
    two_accounts = Conflict.objects.get(code=Code.EMAIL_OF_TWO_IDS)
    conflict = reverse("admin:identity_tracking_conflict_change", args=[two_accounts.pk])
    yield Picture(name="conflict", path=conflict, height=1080)
    yield Picture(name="shop", path=reverse("home"), height=900)


def key_of(customer: Customer) -> Any:
    """Return the key of the person whom a customer's account is."""
    user = User.objects.get(username=customer.username)
    return Person.objects.get(user_id=str(user.pk), root=None).pk


def person(screen: str, *keys: Any) -> str:
    return reverse(f"admin:identity_tracking_person_{screen}", args=keys)


@contextmanager
def served() -> Iterator[str]:
    """Serve the site as long as it is looked at."""
    server = LiveServerThread("127.0.0.1", StaticFilesHandler)
    server.daemon = True
    server.start()
    server.is_ready.wait()
    yield f"http://127.0.0.1:{server.port}"
    server.terminate()


def admin_session() -> str:
    """Return a session of the administrator's that no login made: a login is an activity."""
    admin = User.objects.get(username="admin")
    session = SessionStore()
    session[SESSION_KEY] = str(admin.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = admin.get_session_auth_hash()
    session.create()
    return str(session.session_key)


class Camera:
    """A browser that is logged in to the admin, and keeps what it sees in docs/images."""

    def __init__(self, browser: Browser, site: str, session: str) -> None:
        self.browser = browser
        self.site = site
        self.session = session

    def take(self, picture: Picture) -> None:
        viewport = {"width": WIDTH, "height": picture.height}
        context = self.browser.new_context(color_scheme=picture.scheme, viewport=viewport)  # type: ignore[arg-type]
        context.add_init_script(CALM)
        if picture.path.startswith(reverse("admin:index")):
            name_of_cookie = settings.SESSION_COOKIE_NAME
            cookie = {"name": name_of_cookie, "value": self.session, "url": self.site}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(self.site + picture.path, wait_until="networkidle")
        IMAGES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=IMAGES / f"{picture.name}.png", clip=_near(page, picture))
        context.close()


def _near(page: Page, picture: Picture) -> FloatRect | None:
    """Scroll what a picture is about to the middle; return its column, or None for all."""
    if not picture.around:
        return None
    shown = page.locator(picture.around).first
    shown.evaluate("one => one.scrollIntoView({block: 'center'})")
    box = shown.bounding_box()
    if box is None:
        return None
    left, width = box["x"] - MARGIN, box["width"] + 2 * MARGIN
    return {"x": left, "y": 0, "width": width, "height": picture.height}
