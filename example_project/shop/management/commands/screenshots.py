"""Make the documentation's pictures from the demo. Needs the package playwright, and Chromium."""

from __future__ import annotations

import shutil
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
from playwright.sync_api import Browser, sync_playwright

from example_project.cast import MAYA
from identity_tracking.models import Person

IMAGES = Path(__file__).resolve().parents[4] / "docs" / "images"
WIDTH = 1280  # pixels
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--hide-scrollbars")
CALM = "localStorage.setItem('django.admin.navSidebarIsOpen', 'false')"  # the admin's side bar

Scheme: TypeAlias = Literal["light", "dark"]


class Command(BaseCommand):
    help = "Makes docs/images from the demo, in the database that DATABASE_URL names."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("demo", no_serve=True, stdout=self.stdout)
        session = admin_session()
        maya = Person.objects.get(email=MAYA.email, root=None)
        person = reverse("admin:identity_tracking_person_change", args=[maya.pk])
        people = reverse("admin:identity_tracking_person_changelist")
        server = LiveServerThread("127.0.0.1", StaticFilesHandler)
        server.daemon = True
        server.start()
        server.is_ready.wait()
        with sync_playwright() as playwright:
            program = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
            camera = Camera(browser, f"http://127.0.0.1:{server.port}", session)
            camera.take("person-light", person, height=1000)
            camera.take("person-dark", person, height=1000, scheme="dark")
            camera.take("people", people, height=760)
            camera.take("shop", reverse("home"), height=900)
            browser.close()
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

    def take(self, name: str, path: str, *, height: int, scheme: Scheme = "light") -> None:
        viewport = {"width": WIDTH, "height": height}
        context = self.browser.new_context(color_scheme=scheme, viewport=viewport)  # type: ignore[arg-type]
        context.add_init_script(CALM)
        if path.startswith(reverse("admin:index")):
            name_of_cookie = settings.SESSION_COOKIE_NAME
            cookie = {"name": name_of_cookie, "value": self.session, "url": self.site}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.goto(self.site + path, wait_until="networkidle")
        IMAGES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=IMAGES / f"{name}.png")
        context.close()
