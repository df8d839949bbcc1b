from __future__ import annotations

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.test.utils import override_settings

from identity_tracking import checks
from identity_tracking.identifiers import digest
from identity_tracking.models import Suppression
from identity_tracking.privacy.suppression import suppress
from tests.web import configure

DATABASES = ["default"]


def found(check, **options):
    return [message.id.removeprefix("identity_tracking.") for message in check(**options)]


@pytest.mark.django_db
def test_a_site_as_the_readme_says_passes():
    assert [message for message in run_checks() if "identity_tracking" in str(message.id)] == []


def test_an_unknown_setting_is_an_error_that_lists_the_known(settings):
    configure(settings, SITEID="shop")

    assert found(checks.check_setting_names) == ["E001"]
    assert "SITE_ID" in (checks.check_setting_names()[0].hint or "")


@pytest.mark.parametrize(
    "given",
    [
        {"ENABLED": "no"},
        {"SITE_ID": 7},
        {"COOKIE_MAX_AGE": "1 year"},
        {"COOKIE_MAX_AGE": True},
        {"ALLOWED_ORIGINS": "https://shop.example"},
        {"EXCLUDE_PATHS": "/admin/"},
        {"JUNK": None},
        {"TRUSTED_PROXIES": "1"},
        {"TRUSTED_PROXIES": True},
        {"LOOK_BACK": "1 day"},
        {"THROTTLE_SOURCE": 5},
    ],
    ids=str,
)
def test_a_setting_of_another_type_is_an_error(settings, given):
    configure(settings, **given)

    assert found(checks.check_setting_types) == ["E002"]


@pytest.mark.parametrize(
    "given",
    [
        {"ALLOWED_ORIGINS": []},
        {"JUNK": {"x"}},
        {"COOKIE_DOMAIN": ".shop.example"},
        {"EXCLUDE": len},
        {"RETAIN_PEOPLE": None},
        {"TRUSTED_PROXIES": 2, "THROTTLE_ADDRESS": None},
    ],
    ids=str,
)
def test_a_setting_of_its_type_passes(settings, given):
    configure(settings, **given)

    assert found(checks.check_setting_types) == []


@pytest.mark.parametrize("name", checks.HOOKS)
@pytest.mark.parametrize("value", ["no.such.function", "nonsense", 7, "tests.web.FIREFOX"])
def test_a_hook_that_is_no_function_is_an_error(settings, name, value):
    configure(settings, **{name: value})

    assert found(checks.check_hooks) == ["E003"]


@pytest.mark.parametrize("value", [len, "tests.web.configure"])
def test_a_function_or_its_path_passes(settings, value):
    configure(settings, **dict.fromkeys(checks.HOOKS, value))

    assert found(checks.check_hooks) == []


@override_settings(ROOT_URLCONF="django.contrib.auth.urls")
def test_urls_that_are_not_included_are_an_error():
    assert found(checks.check_urls) == ["E004"]


def test_urls_that_are_included_pass():
    assert found(checks.check_urls) == []


class Parting:
    """Keeps activities elsewhere than all else."""

    def db_for_write(self, model, **hints):
        return "elsewhere" if model._meta.model_name == "activity" else None


class Refusing:
    """Lets no table of the app be made."""

    def allow_migrate(self, db, app_label, **hints):
        return False if app_label == "identity_tracking" else None


@pytest.mark.parametrize(
    ("routers", "ids"),
    [([], []), ([Parting()], ["E013"]), ([Refusing()], ["E013"])],
    ids=["none", "parting", "refusing"],
)
def test_routers_that_part_the_tables_or_refuse_them_are_an_error(settings, routers, ids):
    settings.DATABASE_ROUTERS = routers

    assert found(checks.check_routers) == ids


def test_a_missing_middleware_is_a_warning(settings):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if name != checks.MIDDLEWARE]

    assert found(checks.check_middleware) == ["W001"]
    assert found(checks.check_middleware_order) == []


def test_a_missing_middleware_is_none_where_the_app_is_off(settings):
    configure(settings, ENABLED=False)
    settings.MIDDLEWARE = []

    assert found(checks.check_middleware) == []


def test_the_middleware_before_authentication_is_an_error(settings):
    settings.MIDDLEWARE = [checks.MIDDLEWARE, checks.AUTHENTICATION]

    assert found(checks.check_middleware_order) == ["E005"]


def test_the_middleware_after_authentication_passes():
    assert found(checks.check_middleware) == found(checks.check_middleware_order) == []


@pytest.mark.parametrize(("key", "ids"), [("shop", ["E006"]), ("secret", []), ("", [])])
def test_a_secret_key_that_is_public_is_an_error(settings, key, ids):
    configure(settings, SITE_ID="shop", API_KEY=key)

    assert found(checks.check_api_key) == ids


@pytest.mark.parametrize(
    ("given", "ids"),
    [
        ({"CROSS_SITE": True}, ["W002"]),
        ({"CROSS_SITE": True, "ALLOWED_ORIGINS": ["https://shop.example"]}, []),
        ({}, []),
    ],
    ids=str,
)
def test_cross_site_without_other_origins_is_a_warning(settings, given, ids):
    configure(settings, **given)

    assert found(checks.check_cross_site) == ids


@pytest.mark.parametrize(
    ("origin", "ids"),
    [
        ("https://shop.example", []),
        ("http://localhost:8000", []),
        ("https://shop.example/", ["E007"]),
        ("shop.example", ["E007"]),
        ("*", ["E007"]),
    ],
)
def test_an_origin_that_no_browser_sends_is_an_error(settings, origin, ids):
    configure(settings, ALLOWED_ORIGINS=[origin])

    assert found(checks.check_origins) == ids


@pytest.mark.parametrize(
    ("url", "ids"),
    [
        ("https://shop.example/thanks/", []),
        ("https://shop.example", []),
        ("/thanks/", ["E016"]),
        ("https://shop.example/?a=b", ["E016"]),
        ("//shop.example/", ["E016"]),
        ("*", ["E016"]),
    ],
)
def test_a_page_for_forms_to_lead_to_that_is_none_is_an_error(settings, url, ids):
    configure(settings, FORM_SUCCESS_URLS=[url])

    assert found(checks.check_success_urls) == ids


@pytest.mark.parametrize(("site_id", "ids"), [("shop", []), ("shop:de", ["E008"])])
def test_a_site_id_that_holds_the_separator_is_an_error(settings, site_id, ids):
    configure(settings, SITE_ID=site_id)

    assert found(checks.check_site_id) == ids


@pytest.mark.skipif(connection.vendor != "sqlite", reason="needs SQLite")
@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({}, ["W003"]),
        ({"transaction_mode": "IMMEDIATE"}, ["W003"]),
        ({"init_command": "PRAGMA journal_mode=WAL;"}, ["W003"]),
        ({"init_command": "pragma journal_mode=wal", "transaction_mode": "immediate"}, []),
    ],
    ids=str,
)
def test_sqlite_that_makes_visitors_wait_is_a_warning(monkeypatch, options, ids):
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)

    assert found(checks.check_sqlite, databases=DATABASES) == ids
    assert found(checks.check_sqlite) == []


@pytest.mark.postgres
@pytest.mark.django_db
@pytest.mark.parametrize(("setting", "ids"), [("off", ["W004"]), ("on", []), ("local", [])])
def test_postgresql_that_answers_before_it_wrote_is_a_warning(setting, ids):
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL synchronous_commit = {setting}")

    assert found(checks.check_durability, databases=DATABASES) == ids
    assert found(checks.check_durability) == []


@pytest.mark.mariadb
@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ({}, []),
        ({"isolation_level": "READ COMMITTED"}, []),
        ({"isolation_level": "repeatable read"}, ["W005"]),
        ({"isolation_level": None}, ["W005"]),
    ],
    ids=str,
)
def test_mariadb_that_reads_what_was_true_before_a_lock_is_a_warning(monkeypatch, options, ids):
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)

    assert found(checks.check_isolation, databases=DATABASES) == ids
    assert found(checks.check_isolation) == []


@pytest.fixture
def character_set():
    """A function that sets one of the connection's variables, until the test ends."""

    def set_to(variable, name):
        with connection.cursor() as cursor:
            cursor.execute(f"SET {variable} = {name}")

    yield set_to
    connection.close()


@pytest.mark.mariadb
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("variable", ["character_set_database", "character_set_client"])
@pytest.mark.parametrize(
    ("name", "ids"), [("utf8mb4", []), ("utf8mb3", ["W006"]), ("latin1", ["W006"])]
)
def test_mariadb_that_cannot_keep_all_characters_is_a_warning(character_set, variable, name, ids):
    character_set(variable, name)

    assert found(checks.check_character_set, databases=DATABASES) == ids
    assert found(checks.check_character_set) == []


@pytest.mark.mariadb
@pytest.mark.django_db
@pytest.mark.parametrize(("says", "ids"), [(True, []), (False, ["E009"])])
def test_mysql_that_says_not_which_rows_are_new_is_an_error(monkeypatch, says, ids):
    monkeypatch.setattr(connection.features, "can_return_columns_from_insert", says)

    assert found(checks.check_mysql, databases=DATABASES) == ids
    assert found(checks.check_mysql) == []


def test_the_checks_ask_no_database_unless_told_to():
    assert found(checks.check_durability, databases=None) == []


@pytest.mark.django_db
def test_another_suppression_key_than_people_were_erased_with_is_an_error(settings):
    configure(settings, SUPPRESSION_KEY="first")
    suppress([digest("somebody")], "default")
    assert found(checks.check_suppressed, databases=DATABASES) == []

    configure(settings, SUPPRESSION_KEY="second")

    assert found(checks.check_suppressed, databases=DATABASES) == ["E010"]
    assert found(checks.check_suppressed, databases=[]) == []


def test_a_site_that_did_not_choose_about_consent_is_cautioned(settings):
    assert found(checks.check_consent) == []

    settings.IDENTITY_TRACKING = {"SITE_ID": "shop"}
    assert found(checks.check_consent) == ["W007"]

    configure(settings, ENABLED=False)
    assert found(checks.check_consent) == []


@pytest.mark.parametrize("mode", ["on", "Required", ""])
def test_a_consent_that_is_no_mode_is_an_error(settings, mode):
    configure(settings, CONSENT=mode)

    assert found(checks.check_consent_mode) == ["E011"]


@pytest.mark.parametrize("mode", ["off", "opt-out", "required"])
def test_a_consent_that_is_a_mode_passes(settings, mode):
    configure(settings, CONSENT=mode)

    assert found(checks.check_consent_mode) == []


@pytest.mark.parametrize("mode", ["opt-out", "required"])
def test_consent_that_nobody_can_give_is_an_error(settings, mode):
    configure(settings, CONSENT=mode)
    assert found(checks.check_consent_source) == ["E012"]

    configure(settings, CONSENT_COOKIE="consent=yes")
    assert found(checks.check_consent_source) == []

    configure(settings, CONSENT_COOKIE="", HAS_CONSENT=len)
    assert found(checks.check_consent_source) == []


@pytest.mark.django_db
def test_suppression_is_not_looked_at_before_it_is_migrated(monkeypatch):
    monkeypatch.setattr(Suppression._meta, "db_table", "not_migrated_yet")

    assert found(checks.check_suppressed, databases=DATABASES) == []


def test_a_deployment_without_suppression_key_is_cautioned(settings):
    assert found(checks.check_suppression_key) == ["W008"]

    configure(settings, SUPPRESSION_KEY="secret")

    assert found(checks.check_suppression_key) == []
