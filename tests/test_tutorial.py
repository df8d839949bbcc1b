"""The tutorial, done as its page says: what is shown there is what is run here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs/tutorial.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
TEMPLATES = ("base.html", "home.html", "beans.html", "registration/login.html")

WALK = """
from django.test import Client
from django.contrib.auth.models import User
from identity_tracking.models import Person

browser = Client(headers={"host": "127.0.0.1"})
for address in ("/", "/beans/", "/accounts/login/"):
    assert b"cio-tracker" in browser.get(address).content, address
said = {"type": "track", "name": "added_to_cart", "data": {"sku": "A1", "price": 12.5}}
said["anonymous_id"] = browser.cookies["_cioanonid"].value
linus = {"type": "identify", "id": "42", "email": "linus@example.com", "anonymous_id": "b-2"}
for message in (said, linus):
    body = {"site_id": "shop", "messages": [message]}
    answer = browser.post("/people/visit/", body, "application/json")
    assert answer.json() == {"success": True}, answer.content
who = {"username": "grace", "password": "compiler-1952"}
assert browser.post("/accounts/login/", who).headers["Location"] == "/"
grace = Person.objects.find(id="2")
assert [activity.type for activity in grace.activities] == ["identify", "track"]
"""


def blocks(language):
    return [text for kind, text in BLOCK.findall(PAGE) if kind == language]


def run(*command, cwd):
    env = {**os.environ, "PYTHONPATH": str(ROOT), "DJANGO_SUPERUSER_PASSWORD": "beans-and-bytes"}
    env.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(  # noqa: S603
        [sys.executable, *command], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def site(tmp_path):
    """The site as it is after the tutorial's third step."""
    settings, urls, _ = blocks("python")
    run("-m", "django", "startproject", "shop", ".", cwd=tmp_path)
    with (tmp_path / "shop/settings.py").open("a") as file:
        file.write(settings)
    (tmp_path / "shop/urls.py").write_text(urls)
    (tmp_path / "templates/registration").mkdir(parents=True)
    for name, text in zip(TEMPLATES, blocks("django"), strict=True):
        (tmp_path / "templates" / name).write_text(text)
    return tmp_path


def test_the_tutorial_leads_to_the_first_person(site):
    (make_grace,) = re.findall(r'shell -c "(.*)"', PAGE)
    (export,) = re.findall(r"^python (manage\.py export_person .*)$", PAGE, re.MULTILINE)
    *_, from_python = blocks("python")

    run("manage.py", "migrate", cwd=site)
    run("manage.py", "check", "--database=default", "--fail-level=WARNING", cwd=site)
    ada = ("--username=ada", "--email=ada@example.com")
    run("manage.py", "createsuperuser", "--noinput", *ada, cwd=site)
    run("manage.py", "shell", "-c", make_grace, cwd=site)
    run("manage.py", "shell", "-c", WALK, cwd=site)
    told = run("manage.py", "shell", "-c", from_python, cwd=site)
    copy = run(*export.split(), cwd=site)

    assert "track added_to_cart" in told
    assert "grace@example.com [<Activity: identify>]" in told
    assert '"name": "order_shipped"' in copy
