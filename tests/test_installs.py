from __future__ import annotations

import pytest

from tests.installs import URLS, Install

pytestmark = pytest.mark.slow

NO_ZONES = 'USE_TZ, TIME_ZONE = False, "America/New_York"'
PEOPLE = """
class People:
    def db_for_write(self, model, **hints):
        return "people" if model._meta.app_label == "identity_tracking" else None

    db_for_read = db_for_write

    def allow_migrate(self, db, app_label, **hints):
        return (db == "people") == (app_label == "identity_tracking")
"""


def test_a_site_without_time_zones_keeps_the_right_times(tmp_path):
    Install(tmp_path, NO_ZONES).run(
        """
        from datetime import UTC, datetime, timedelta
        from django.db import connection
        from identity_tracking import merge, track as keep, why

        noon = datetime(2024, 11, 5, 12, tzinfo=UTC)
        keep(None, "noon", id="42", timestamp=noon)
        keep(None, "local", id="42", timestamp=datetime(2024, 11, 5, 7))
        keep(None, "unix", id="42", timestamp=noon.timestamp())
        Browser().send(track("now", anonymous_id="a-1"), identify("42", anonymous_id="a-1"))

        person = Person.objects.find(id="42")
        times = {one.name: one.timestamp for one in person.activities}
        assert times["noon"] == times["local"] == times["unix"] == person.first_seen == noon
        assert abs(datetime.now(UTC) - times["now"]) < timedelta(minutes=1), times
        with connection.cursor() as cursor:
            cursor.execute("SELECT min(timestamp) FROM identity_tracking_activity")
            assert str(cursor.fetchone()[0]) == "2024-11-05 12:00:00", "not kept in UTC"

        keep(None, "other", id="43")
        merge(person, Person.objects.find(id="43")).undo()
        assert [reason.identifier.value for reason in why(person)] == ["42", "a-1"]
        call_command("identify_users")
        call_command("prune")
        """
    )


def test_a_site_without_time_zones_tells_the_two_hours_apart_that_its_clocks_run_twice(tmp_path):
    Install(tmp_path, NO_ZONES).run(
        """
        from datetime import UTC, datetime, timedelta
        from identity_tracking import track as keep

        first = datetime(2024, 11, 3, 5, 30, tzinfo=UTC)  # 1:30 a.m.
        second = first + timedelta(hours=1)  # 1:30 a.m. again
        keep(None, "second", id="42", timestamp=second)
        keep(None, "first", id="42", timestamp=first)

        newest, oldest = Person.objects.find(id="42").activities
        assert (newest.name, oldest.name) == ("second", "first")
        assert newest.timestamp - oldest.timestamp == timedelta(hours=1)
        assert newest.timestamp.hour == oldest.timestamp.hour == 1
        """
    )


def test_the_admin_of_a_site_without_time_zones_shows_its_local_time(tmp_path):
    Install(tmp_path, NO_ZONES).run(
        """
        from datetime import UTC, datetime
        from django.contrib.auth.models import User
        from identity_tracking import track as keep

        keep(None, "moved in", id="42", timestamp=datetime(2024, 11, 6, 2, tzinfo=UTC))
        staff = Browser()
        staff.force_login(User.objects.create_superuser("staff"))
        where = "admin:identity_tracking_"

        activities = staff.get(reverse(where + "activity_changelist"))
        assert "Nov. 5, 2024, 9 p.m." in activities.content.decode()
        person = Person.objects.find(id="42")
        page = staff.get(reverse(where + "person_change", args=[person.pk])).content.decode()
        assert "Nov. 5, 2024" in page and "9 p.m." in page
        assert "Nov. 6, 2024" not in page

        on = {day: staff.get(reverse(where + "activity_changelist"), {"on": day})
            for day in ("2024-11-05", "2024-11-06")}
        assert b"moved in" in on["2024-11-05"].content
        assert b"moved in" not in on["2024-11-06"].content

        keep(None, "now", id="42")
        people = staff.get(reverse(where + "person_changelist"), {"seen": "today"})
        assert 'field-lately' in people.content.decode()
        front = staff.get(reverse(where + "overview")).content.decode()
        assert "<dt>Visitors</dt><dd>2</dd>" in front, "they, and the staff"
        """
    )


def test_a_site_says_by_hooks_whose_login_it_is_and_whom_to_leave_out(tmp_path):
    site = Install(
        tmp_path,
        """
        IDENTITY_TRACKING = {
            **IDENTITY_TRACKING,
            "USER_ID": "shop.people.number",
            "USER_ATTRIBUTES": "shop.people.attributes",
            "MAY_IDENTIFY": "shop.people.is_themselves",
            "EXCLUDE": "shop.people.is_staff",
        }
        """,
        urls=URLS
        + """
from shop.views import hijack

urlpatterns += [path("hijack/<name>/", hijack, name="hijack")]
""",
        shop__people="""
        def number(user):
            return f"C-{user.pk}"

        def attributes(user):
            return {"email": user.email, "plan": "pro"}

        def is_themselves(request, user):
            is_starting = request.resolver_match.url_name == "hijack"
            return not is_starting and not request.session.get("hijack_history")

        def is_staff(request):
            return request.user.is_staff
        """,
        shop__views="""
        from django.contrib.auth import login
        from django.contrib.auth.models import User
        from django.http import HttpResponse

        def hijack(request, name):
            login(request, User.objects.get(username=name))
            request.session["hijack_history"] = ["1"] if name == "eve" else []
            return HttpResponse()
        """,
    )
    site.run(
        """
        from django.contrib.auth.models import User

        ada = User.objects.create_user("ada", "ada@example.com", "secret")
        eve = User.objects.create_user("eve", "eve@example.com", "secret")
        boss = User.objects.create_user("boss", "boss@example.com", "secret", is_staff=True)

        def log_in(name):
            browser = Browser()
            browser.get("/")
            browser.post("/accounts/login/", {"username": name, "password": "secret"})
            return browser

        support = log_in("ada")
        person = Person.objects.find(id=f"C-{ada.pk}")
        assert (person.email, person.attributes) == ("ada@example.com", {"plan": "pro"})

        support.get("/hijack/eve/")
        assert support.person_id == f"C-{ada.pk}"
        support.send(track("helped", anonymous_id=support.anonymous_id))
        assert Activity.objects.get(name="helped").person == person
        support.send(identify(f"C-{eve.pk}", anonymous_id=support.anonymous_id, data={"vip": 1}))
        told = Activity.objects.get(identifier__value=f"C-{eve.pk}")
        assert not told.trusted, "who looks at an account proves nothing of its owner"

        support.get("/hijack/ada/")
        support.send(track("back", anonymous_id="a-2"))
        assert Activity.objects.get(name="back").person == person, "back as themselves"

        before = Activity.objects.count()
        boss = log_in("boss")
        boss.send(track("tried", anonymous_id="a-1"))
        assert Activity.objects.count() == before, "staff are left out"
        """
    )


def test_a_site_turns_everything_off_for_its_own_tests(tmp_path):
    site = Install(tmp_path, 'IDENTITY_TRACKING = {**IDENTITY_TRACKING, "ENABLED": False}')

    site.run(
        """
        from django.contrib.auth.models import User
        from django.db import connection
        from django.test import override_settings
        from django.test.utils import CaptureQueriesContext
        from identity_tracking import alias, page, relate, unrelate
        from identity_tracking import identify as say, track as keep

        def visit():
            browser = Browser()
            home = browser.get("/")
            User.objects.get_or_create(username="ada")
            browser.force_login(User.objects.get(username="ada"))
            browser.send(track(anonymous_id="a-1"), identify("42", anonymous_id="a-1"))
            return home

        home = visit()
        assert not home.cookies and b"<script" not in home.content
        with CaptureQueriesContext(connection) as queries:
            Browser(cioanonid="a-1").get("/")
            Browser().send(track(anonymous_id="a-1"), identify("42", anonymous_id="a-1"))
            said = [
                say(None, id="42"), keep(None, "bought", id="42"), page(None, "Home", id="42"),
                relate(None, "team", "red", id="42"), unrelate(None, "team", "red", id="42"),
                alias(None, "a-1", id="42"),
            ]
        assert said == [None] * 6, said
        assert len(queries) == 0, queries.captured_queries
        assert not Identifier.objects.exists() and not Activity.objects.exists()

        with override_settings(IDENTITY_TRACKING={**settings.IDENTITY_TRACKING, "ENABLED": True}):
            home = visit()
            assert "_cioanonid" in home.cookies and b"<script" in home.content
            assert Person.objects.find(id="42")
        """
    )


def test_a_site_keeps_people_in_a_database_of_their_own(tmp_path):
    site = Install(
        tmp_path,
        """
        DATABASES["people"] = dict(DATABASES["default"])
        DATABASE_ROUTERS = ["shop.routers.People"]
        """,
        shop__routers=PEOPLE,
    )
    site.run(
        """
        from django.db import connections
        from django.test.utils import CaptureQueriesContext

        call_command("migrate", verbosity=0)
        call_command("migrate", database="people", verbosity=0)
        call_command("check", databases=["default", "people"], fail_level="WARNING")

        from django.contrib.auth.models import User
        from identity_tracking import identify as say, merge, why
        from identity_tracking.models import Activity, Conflict, FailedEvent, Person

        def conflict():
            browser.send(identify("44", email="one@x.org"), identify("45", email="one@x.org"))
            return Conflict.objects.get()

        def failed():
            payload = '{"type": "page", "anonymous_id": "a-2"}'
            kept = {"source": "shop", "trusted": False, "received_at": conflict().found_at}
            came = {"code": "no_identifier", "entrance": "script", "payload": payload}
            return FailedEvent.objects.create(**came, **kept)

        tables = connections["default"].introspection.table_names()
        assert not [name for name in tables if name.startswith("identity_tracking")], tables

        with CaptureQueriesContext(connections["default"]) as queries:
            browser = Browser()
            browser.get("/")
            browser.send(track(anonymous_id="a-1"), identify("42", anonymous_id="a-1"))
            ada, bob = say(None, id="42", plan="pro"), say(None, id="43")
            operation = merge(ada, bob)
            operation.undo()
            assert why(ada) and ada.activities.count() == 3
            call_command("merge_people", "42", "43", yes=True)
            call_command("prune")
        assert len(queries) == 0, queries.captured_queries

        User.objects.create_user("cleo")
        call_command("identify_users")
        staff = Browser()
        staff.force_login(User.objects.create_superuser("staff"))
        for kind in ("person", "identifier", "activity", "mergeoperation", "conflict"):
            listed = staff.get(reverse(f"admin:identity_tracking_{kind}_changelist"))
            assert listed.status_code == 200, listed
        shown = staff.get(reverse("admin:identity_tracking_person_change", args=[ada.pk]))
        assert b"pro" in shown.content

        listed = reverse("admin:identity_tracking_person_changelist")
        found = staff.get(listed, {"attribute": "plan", "value": "pro"})
        assert b"1 person" in found.content
        assert staff.get(reverse("admin:identity_tracking_overview")).status_code == 200
        for kind, action, row in (
            ("conflict", "settle_chosen", conflict()),
            ("failedevent", "try_chosen_again", failed()),
        ):
            data = {"action": action, "_selected_action": [row.pk]}
            page = reverse(f"admin:identity_tracking_{kind}_changelist")
            assert staff.post(page, data).status_code == 302
        assert Conflict.objects.get().settled_at and not FailedEvent.objects.exists()
        """,
        before="",
    )


def test_requests_of_a_database_of_their_own_may_be_atomic(tmp_path):
    site = Install(
        tmp_path,
        """
        DATABASES["people"] = {**DATABASES["default"], "ATOMIC_REQUESTS": True}
        DATABASE_ROUTERS = ["shop.routers.People"]
        """,
        shop__routers=PEOPLE,
    )
    site.run(
        """
        from django.db import connections
        from django.test.utils import CaptureQueriesContext

        call_command("migrate", database="people", verbosity=0)

        with CaptureQueriesContext(connections["people"]) as queries:
            sent = Browser().send(track(anonymous_id="a-1"))
        assert sent.json() == {"success": True}
        assert not [one for one in queries.captured_queries if "SAVEPOINT" in one["sql"]]
        """,
        before="",
    )


def test_a_call_returns_the_person_it_made_though_replicas_lag(tmp_path):
    site = Install(
        tmp_path,
        """
        DATABASES["replica"] = dict(DATABASES["default"])
        DATABASE_ROUTERS = ["shop.routers.Reading"]
        """,
        shop__routers="""
        class Reading:
            def db_for_read(self, model, **hints):
                return "replica"

            def db_for_write(self, model, **hints):
                return "default"
        """,
    )
    site.run(
        """
        from identity_tracking import identify as say

        call_command("migrate", verbosity=0)
        assert say(None, id="42", plan="pro").attributes == {"plan": "pro"}
        """,
        before="",
    )


def test_the_tag_and_the_endpoint_follow_the_language_and_the_prefix_of_a_site(tmp_path):
    site = Install(
        tmp_path,
        """
        LANGUAGES = [("en", "English"), ("de", "German")]
        MIDDLEWARE.insert(2, "django.middleware.locale.LocaleMiddleware")
        FORCE_SCRIPT_NAME = "/shop"
        """,
        urls=URLS
        + """
from django.conf.urls.i18n import i18n_patterns

urlpatterns = i18n_patterns(*urlpatterns)
""",
    )
    site.run(
        """
        browser = Browser()
        home = browser.get("/de/").content.decode()
        assert 'src="/shop/de/people/visitor.js?' in home, home
        assert 'data-endpoint="/shop/de/people/visit/"' in home, home
        assert browser.cookies["_cioanonid"]["path"] == "/", "the script's cookies are the same"

        assert browser.get("/de/people/visitor.js").status_code == 200
        body = '{"site_id": "shop", "messages": [{"type": "page", "anonymous_id": "a-1"}]}'
        sent = browser.post("/de/people/visit/", body, content_type="text/plain")
        assert sent.json() == {"success": True}
        assert Activity.objects.count() == 1
        """
    )


def test_static_files_with_a_manifest_hold_what_the_admin_asks_for(tmp_path):
    site = Install(
        tmp_path,
        """
        from pathlib import Path

        STATIC_ROOT = Path(__file__).parent / "collected"
        STATIC_URL = "/static/"
        STORAGES = {
            "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
            "staticfiles": {
                "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
            },
        }
        """,
    )
    site.run(
        """
        import re
        from django.contrib.auth.models import User
        from identity_tracking import identify as say

        call_command("collectstatic", interactive=False, verbosity=0)
        staff = Browser()
        staff.force_login(User.objects.create_superuser("staff"))
        person = say(None, id="42")
        page = staff.get(reverse("admin:identity_tracking_person_change", args=[person.pk]))

        named = re.findall('"/static/(identity_tracking/[^"]+)"', page.content.decode())
        css = re.compile("identity_tracking/admin[.][0-9a-f]{12}[.]css")
        assert any(map(css.fullmatch, named)), named
        assert all((settings.STATIC_ROOT / one).is_file() for one in named), named
        assert b"<script" in Browser().get("/").content
        """
    )


def test_a_site_without_users_and_sessions_tracks_visitors(tmp_path):
    site = Install(
        tmp_path,
        """
        INSTALLED_APPS = ["rest_framework", "identity_tracking"]
        MIDDLEWARE = [
            "django.middleware.common.CommonMiddleware",
            "identity_tracking.middleware.IdentityTrackingMiddleware",
        ]
        TEMPLATES[0]["OPTIONS"]["context_processors"] = []
        """,
        urls="""
        from django.urls import include, path

        from tests.site import views

        urlpatterns = [path("", views.home), path("people/", include("identity_tracking.urls"))]
        """,
    )
    site.run(
        """
        from identity_tracking import track as keep

        browser = Browser()
        assert b"<script" in browser.get("/").content
        anonymous_id = browser.anonymous_id
        sent = browser.send(
            track(anonymous_id=anonymous_id), identify("42", anonymous_id=anonymous_id)
        )
        assert sent.json() == {"success": True}, sent.content
        keep(None, "bought", id="42")
        assert Person.objects.find(id="42").activities.count() == 3
        assert browser.get("/people/visitor.js").status_code == 200
        call_command("prune")
        """
    )


def test_nothing_that_redirects_loses_what_is_posted(tmp_path):
    site = Install(
        tmp_path,
        """
        SECURE_SSL_REDIRECT = APPEND_SLASH = True
        MIDDLEWARE += ["django.contrib.auth.middleware.LoginRequiredMiddleware"]
        """,
    )
    site.run(
        """
        import json

        def post(path):
            body = json.dumps({"site_id": "shop", "messages": [track(anonymous_id="a-1")]})
            return Browser().post(path, body, content_type="text/plain", secure=True)

        for path in ("/people/visit/", "/people/visit"):
            assert post(path).status_code == 200, path
        assert Activity.objects.count() == 2
        assert Browser().get("/people/visitor.js", secure=True).status_code == 200
        assert Browser().get("/", secure=False).status_code == 301
        """
    )


def test_users_of_a_model_of_the_sites_own_are_identified(tmp_path):
    site = Install(
        tmp_path,
        'AUTH_USER_MODEL = "shop.Member"; INSTALLED_APPS += ["shop"]',
        shop__models="""
        from uuid import uuid4

        from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
        from django.db import models

        class Member(AbstractBaseUser, PermissionsMixin):
            key = models.UUIDField(primary_key=True, default=uuid4)
            mail = models.EmailField(unique=True)
            is_staff = models.BooleanField(default=False)

            objects = BaseUserManager()

            USERNAME_FIELD = EMAIL_FIELD = "mail"
        """,
    )
    site.run(
        """
        from shop.models import Member

        def join(mail, **given):
            member = Member(mail=mail, **given)
            member.set_password("secret")
            member.save()
            return member

        ada, bob = join("ada@example.com"), join("bob@example.com")
        browser = Browser()
        browser.post("/accounts/login/", {"username": ada.mail, "password": "secret"})
        assert browser.person_id == str(ada.pk)
        assert Person.objects.find(id=ada.pk).email == "ada@example.com"

        call_command("identify_users")
        person = Person.objects.find(id=bob.pk)
        assert person.email == "bob@example.com"
        staff = Browser()
        staff.force_login(join("staff@example.com", is_staff=True, is_superuser=True))
        page = staff.get(reverse("admin:identity_tracking_person_change", args=[person.pk]))
        assert b"bob@example.com" in page.content
        """
    )


def test_the_endpoint_is_untouched_by_the_sites_rest_framework(tmp_path):
    site = Install(
        tmp_path,
        """
        REST_FRAMEWORK = {
            "DEFAULT_AUTHENTICATION_CLASSES": ["shop.rest.Refusing"],
            "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAdminUser"],
            "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.TemplateHTMLRenderer"],
            "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.MultiPartParser"],
            "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.AnonRateThrottle"],
            "DEFAULT_THROTTLE_RATES": {"anon": "1/day"},
            "DEFAULT_VERSIONING_CLASS": "rest_framework.versioning.AcceptHeaderVersioning",
            "ALLOWED_VERSIONS": ["7"],
            "DEFAULT_VERSION": "6",
            "EXCEPTION_HANDLER": "shop.rest.handle",
        }
        """,
        shop__rest="""
        from rest_framework.authentication import BaseAuthentication
        from rest_framework.exceptions import AuthenticationFailed

        class Refusing(BaseAuthentication):
            def authenticate(self, request):
                raise AuthenticationFailed

        def handle(error, context):
            raise error
        """,
    )
    site.run(
        """
        from rest_framework.schemas.generators import EndpointEnumerator

        for _ in range(3):
            sent = Browser().send(track(anonymous_id="a-1"), accept="text/html")
            assert sent.json() == {"success": True}, sent.content
        assert Browser().post_text("no json").json()["error"]["code"] == "invalid_json"
        assert Activity.objects.count() == 3
        assert EndpointEnumerator().get_api_endpoints() == []
        """
    )


def test_a_site_without_drf_spectacular_lacks_its_document_alone(tmp_path):
    site = Install(tmp_path, 'import sys; sys.modules["drf_spectacular"] = None')
    site.run(
        """
        from django.contrib.auth.models import User

        assert Browser().send(track(anonymous_id="a-1")).status_code == 200
        assert Browser().get("/people/schema/").status_code == 403
        staff = Browser()
        staff.force_login(User.objects.create_superuser("staff"))
        answer = staff.get("/people/schema/")
        assert answer.status_code == 404
        assert answer.json()["error"]["message"] == "Install identity-tracking[schema]."
        """
    )
