"""The wheel, as a site gets it: built, installed in an environment of its own, and used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import django
import pytest
import rest_framework

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
INSTALL = """
INSTALLED_APPS += ["rest_framework", "identity_tracking"]
MIDDLEWARE += ["identity_tracking.middleware.IdentityTrackingMiddleware"]
IDENTITY_TRACKING = {"SITE_ID": "shop", "CONSENT": "off"}
"""
URLS = """
from django.http import HttpResponse
from django.template import engines
from django.urls import include

PAGE = "{% load identity_tracking %}<html><head>{% identity_snippet %}</head></html>"

def page(request):
    return HttpResponse(engines["django"].from_string(PAGE).render({}, request))

urlpatterns += [path("", page), path("people/", include("identity_tracking.urls"))]
"""
VISIT = """
from django.test import Client
page = Client(headers={"host": "localhost"}).get("/")
assert page.status_code == 200, page
assert "_cioanonid" in page.cookies, page.headers
assert b"<script" in page.content, page.content
"""


def run(*command, cwd):
    ours = {"DJANGO_SETTINGS_MODULE", "PYTHONPATH"}
    env = {name: value for name, value in os.environ.items() if name not in ours}
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    dist = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", dist, cwd=ROOT)
    return next(dist.glob("*.whl"))


def test_the_wheel_ships_the_whole_package_but_the_sources_of_its_scripts(wheel):
    package = ROOT / "identity_tracking"
    files = {path.relative_to(ROOT) for path in package.rglob("*") if path.is_file()}
    shipped = {Path(name) for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}

    assert shipped == {path for path in files if not {"sdk", "__pycache__"} & set(path.parts)}
    assert {"locale", "migrations", "py.typed", "static"} <= {path.parts[1] for path in shipped}


def test_a_new_site_installs_the_wheel_and_tracks_a_visitor(wheel, tmp_path):
    run(sys.executable, "-m", "venv", "env", cwd=tmp_path)
    python = tmp_path / "env/bin/python"
    pinned = f"Django=={django.__version__}", f"djangorestframework=={rest_framework.__version__}"
    run(python, "-m", "pip", "install", "--quiet", wheel, *pinned, cwd=tmp_path)
    run(python, "-m", "django", "startproject", "shop", tmp_path, cwd=tmp_path)
    with (tmp_path / "shop/settings.py").open("a") as settings:
        settings.write(INSTALL)
    with (tmp_path / "shop/urls.py").open("a") as urls:
        urls.write(URLS)

    run(python, "manage.py", "check", "--fail-level=WARNING", cwd=tmp_path)
    run(python, "manage.py", "migrate", cwd=tmp_path)
    run(python, "manage.py", "shell", "--command", VISIT, cwd=tmp_path)
