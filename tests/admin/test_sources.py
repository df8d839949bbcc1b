from __future__ import annotations

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.urls import reverse

from identity_tracking.models import SecretKey, Source
from identity_tracking.sources import PREFIX, make_key, secret
from tests.factories import ActivityFactory, SourceFactory

pytestmark = pytest.mark.django_db

BLOG = {"name": "Blog", "site_id": "blog", "allowed_origins": "", "enabled": "on"}


def page(screen, *rows):
    return reverse(f"admin:identity_tracking_source_{screen}", args=[row.pk for row in rows])


@pytest.fixture
def blog():
    return SourceFactory(site_id="blog", name="Blog")


def made_by(staff, source, label=""):
    """Make a key on its page; return the answer, and the key that it shows."""
    answer = staff.post(page("key", source), {"reason": label})
    return answer, re.findall(PREFIX + "[0-9a-f]{64}", answer.content.decode())[0]


def test_the_list_is_called_what_it_lists(staff):
    assert "<h1>Sources</h1>" in staff.get(page("changelist")).content.decode()


def test_a_source_is_made_in_the_admin(staff):
    answer = staff.post(page("add"), {**BLOG, "allowed_origins": "https://blog.example"})

    assert answer.status_code == 302
    assert Source.objects.get().allowed_origins == "https://blog.example"


@pytest.mark.parametrize(
    "wrong", [{"site_id": "shop"}, {"allowed_origins": "blog.example"}], ids=str
)
def test_what_could_not_work_is_refused(staff, wrong):
    answer = staff.post(page("add"), {**BLOG, **wrong})

    assert answer.status_code == 200
    assert "errornote" in answer.content.decode()
    assert not Source.objects.exists()


def test_a_site_id_stays_as_it_was(staff, blog):
    staff.post(page("change", blog), {**BLOG, "site_id": "other", "name": "News"})

    blog.refresh_from_db()
    assert (blog.site_id, blog.name) == ("blog", "News")


def test_a_source_that_the_settings_hide_can_still_be_seen_and_changed(staff):
    hidden = SourceFactory(site_id="shop")

    answer = staff.post(page("change", hidden), {**BLOG, "name": "News"})

    assert "SITE_ID" in answer.content.decode()


def test_a_new_key_is_shown_this_once(staff, blog):
    answer, key = made_by(staff, blog, "the till")

    assert "no-store" in answer["Cache-Control"]
    assert f"curl -u {blog.site_id}:KEY" in answer.content.decode()
    assert secret(key)
    html = staff.read("source", blog)
    assert key not in html
    assert key[-4:] in html
    assert "the till" in html


def test_a_new_key_is_kept_nowhere(staff, blog, caplog):
    _answer, key = made_by(staff, blog)

    rows = [*SecretKey.objects.values_list(), *LogEntry.objects.values_list()]
    sessions = [session.get_decoded() for session in Session.objects.all()]
    assert key not in f"{rows}{sessions}{staff.cookies}{caplog.text}"


def test_a_key_is_made_by_post_alone(staff, blog):
    assert staff.get(page("key", blog)).status_code == 200
    assert not SecretKey.objects.exists()


def test_a_key_is_revoked_after_asking(staff, blog):
    make_key(blog)
    address = page("revoke", blog, SecretKey.objects.get())
    staff.get(address)
    assert SecretKey.objects.get().revoked_at is None

    answer = staff.post(address, follow=True)

    assert "The secret key was revoked." in answer.content.decode()
    assert SecretKey.objects.get().revoked_at
    assert staff.get(address).status_code == 404


def test_what_is_done_to_keys_is_logged(staff, blog):
    made_by(staff, blog)
    staff.post(page("revoke", blog, SecretKey.objects.get()))

    told = [entry.change_message for entry in LogEntry.objects.order_by("pk")]
    assert told == ["A secret key was made.", "The secret key was revoked."]
    assert "revoked" in staff.get(page("history", blog)).content.decode()


def test_a_hostile_label_is_harmless(staff, blog):
    made_by(staff, blog, "a\0\u202e<script>" * 20)

    assert "<script>a" not in staff.read("source", blog)
    assert "\u202e" not in staff.read("source", blog)


@pytest.mark.parametrize(
    ("rights", "status"),
    [((), 403), (("view_source",), 403), (("view_source", "change_source"), 200)],
    ids=str,
)
def test_keys_need_the_right_to_change(staff_with, blog, rights, status):
    make_key(blog)
    clerk = staff_with(*rights)

    answers = [
        clerk.get(page("key", blog)),
        clerk.get(page("revoke", blog, SecretKey.objects.get())),
        clerk.post(page("key", blog)),
    ]

    assert [answer.status_code for answer in answers] == [status] * 3


def test_who_may_only_look_is_offered_nothing(staff_with, blog):
    make_key(blog)

    html = staff_with("view_source").read("source", blog)

    assert "it-deed" not in html
    assert SecretKey.objects.get().hint in html


def test_a_source_is_never_deleted(staff, blog):
    assert staff.post(page("delete", blog), {"post": "yes"}).status_code == 403
    assert Source.objects.exists()


def test_a_client_is_pointed_to_this_host(staff, blog):
    text = staff.text("source", blog)

    assert "curl -u blog:KEY http://testserver/people/api/v1/accounts/region" in text
    assert 'src="http://testserver/people/visitor.js"' in text


def test_the_list_tells_of_the_source_that_is_not_in_it(staff):
    assert "The source of the settings, shop , is none of these" in staff.text("source")


@pytest.mark.usefixtures("blog")
def test_activities_are_found_by_their_source(staff):
    for source in ("shop", "blog"):
        ActivityFactory(source=source, name=f"from-{source}")

    text = staff.text("activity", source="blog")

    assert "from-blog" in text
    assert "from-shop" not in text
    assert "from-shop" in staff.text("activity", source="of nobody\0")


@pytest.mark.usefixtures("blog")
def test_a_message_id_is_found_at_a_source_that_sent_nothing_lately(staff, monkeypatch):
    monkeypatch.setattr("identity_tracking.admin.activities.SAMPLE", 0)
    ActivityFactory(source="blog", message_id="m-1", name="from-blog")
    Source.objects.update(enabled=False)

    assert "from-blog" in staff.text("activity", q="m-1")
