"""Sites that install the app: each in a directory and a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).resolve().parent.parent

SETTINGS = """
from tests.settings.sqlite import *

ROOT_URLCONF = "urls"
DATABASES = {"default": {**DATABASES["default"], "NAME": ":memory:"}}
"""
URLS = """
from django.contrib import admin
from django.urls import include, path

from tests.site import views

urlpatterns = [
    path("", views.home),
    path("accounts/", include("django.contrib.auth.urls")),
    path("admin/", admin.site.urls),
    path("people/", include("identity_tracking.urls")),
]
"""
START = """
import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.urls import reverse

from tests.web import Browser, identify, said, track
"""
MIGRATED = """
call_command("migrate", run_syncdb=True, verbosity=0)

from identity_tracking.models import Activity, Identifier, Person
"""
CHECKED = """
from django.core.checks import run_checks

own = [one for one in run_checks() if str(one.id).startswith("identity_tracking")]
assert own == [], own
"""


class Install:
    """The tests' site, changed by ``settings``, with ``urls`` of its own.

    Other modules are given by name: ``shop__models`` is a package's.
    """

    def __init__(self, home, settings="", urls=URLS, **modules):
        self.home = home
        self.write(settings=SETTINGS + dedent(settings), urls=dedent(urls), **modules)

    def write(self, **modules):
        for name, source in modules.items():
            path = self.home.joinpath(*name.split("__")).with_suffix(".py")
            path.parent.mkdir(exist_ok=True)
            path.write_text(dedent(source))

    def run(self, script, before=MIGRATED + CHECKED):
        """Run ``script`` in the site, whose checks say nothing; its failure is the test's."""
        self.write(script=START + before + dedent(script))
        environ = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "settings",
            "PYTHONPATH": os.pathsep.join([str(self.home), str(ROOT)]),
        }
        command = [sys.executable, "-W", "error", "script.py"]
        done = subprocess.run(  # noqa: S603
            command, cwd=self.home, env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr
