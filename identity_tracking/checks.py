"""System checks, one function each: E for what cannot work, W for what is unsafe."""

from __future__ import annotations

from collections.abc import Sequence
from types import NoneType
from typing import Any, get_args, get_type_hints

from django.apps import apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import connections, router
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from identity_tracking.conf import Conf, conf
from identity_tracking.ingest.transaction import database
from identity_tracking.models import Suppression
from identity_tracking.models.source import ORIGIN
from identity_tracking.privacy import suppression
from identity_tracking.privacy.consent import Consent
from identity_tracking.signatures import SEPARATOR

MIDDLEWARE = "identity_tracking.middleware.IdentityTrackingMiddleware"
AUTHENTICATION = "django.contrib.auth.middleware.AuthenticationMiddleware"
MODES = ", ".join(repr(mode.value) for mode in Consent)
ISOLATION = "read committed"
HOOKS = ("USER_ID", "USER_ATTRIBUTES", "EMAIL_VERIFIED", "MAY_IDENTIFY", "EXCLUDE", "HAS_CONSENT")


def connect() -> None:
    """Register the checks; called once, when the app is ready."""
    for check in (
        check_setting_names,
        check_setting_types,
        check_hooks,
        check_api_key,
        check_middleware,
        check_middleware_order,
        check_cross_site,
        check_origins,
        check_success_urls,
        check_site_id,
        check_consent,
        check_consent_mode,
        check_consent_source,
        check_routers,
    ):
        register(check)
    register(check_urls, Tags.urls)
    register(check_sqlite, Tags.database)
    register(check_mysql, Tags.database)
    register(check_isolation, Tags.database)
    register(check_character_set, Tags.database)
    register(check_durability, Tags.database, deploy=True)
    register(check_suppressed, Tags.database)
    register(check_suppression_key, deploy=True)


def check_setting_names(**kwargs: Any) -> list[CheckMessage]:
    known = get_type_hints(Conf)
    return [
        Error(
            f"IDENTITY_TRACKING has no setting {name!r}.",
            hint=f"Known settings: {', '.join(sorted(known))}.",
            id="identity_tracking.E001",
        )
        for name in conf.given()
        if name not in known
    ]


def check_setting_types(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    hints = get_type_hints(Conf)
    for name, default in vars(Conf).items():
        if not name.isupper() or name in HOOKS:
            continue
        value, kinds = getattr(conf, name), get_args(hints[name])
        if value is None and NoneType in kinds:
            continue
        wanted = kinds[0] if default is None else type(default)
        is_list = isinstance(default, tuple) and isinstance(value, list | set | frozenset)
        if not (isinstance(value, wanted) or is_list) or isinstance(value, bool) != (
            wanted is bool
        ):
            found.append(
                Error(
                    f"IDENTITY_TRACKING[{name!r}] is a {type(value).__name__}.",
                    hint=f"Its default is {default!r}.",
                    id="identity_tracking.E002",
                )
            )
    return found


def check_hooks(**kwargs: Any) -> list[CheckMessage]:
    found: list[CheckMessage] = []
    for name in HOOKS:
        value = getattr(conf, name)
        if isinstance(value, str):
            try:
                value = import_string(value)
            except ImportError:
                value = "missing"
        if value is not None and not callable(value):
            found.append(
                Error(
                    f"IDENTITY_TRACKING[{name!r}] is no function and does not name one.",
                    hint=f'Write a function or its dotted path: "shop.people.{name.lower()}".',
                    id="identity_tracking.E003",
                )
            )
    return found


def check_urls(**kwargs: Any) -> list[CheckMessage]:
    try:
        reverse("identity_tracking:endpoint")
    except NoReverseMatch:
        return [
            Error(
                "The URLs of identity_tracking are not included.",
                hint='Add path("people/", include("identity_tracking.urls")) to your urls.py.',
                id="identity_tracking.E004",
            )
        ]
    return []


def check_middleware(**kwargs: Any) -> list[CheckMessage]:
    if MIDDLEWARE in settings.MIDDLEWARE or not conf.ENABLED:
        return []
    return [
        Caution(
            "The middleware of identity_tracking is missing: requests have no visitor.",
            hint=f"Add {MIDDLEWARE!r} to MIDDLEWARE, after {AUTHENTICATION!r}.",
            id="identity_tracking.W001",
        )
    ]


def check_middleware_order(**kwargs: Any) -> list[CheckMessage]:
    order = list(settings.MIDDLEWARE)
    if MIDDLEWARE not in order or AUTHENTICATION not in order:
        return []
    if order.index(MIDDLEWARE) > order.index(AUTHENTICATION):
        return []
    return [
        Error(
            "The middleware of identity_tracking stands before Django's authentication.",
            hint=f"Move {MIDDLEWARE!r} below {AUTHENTICATION!r}: it needs request.user.",
            id="identity_tracking.E005",
        )
    ]


def check_api_key(**kwargs: Any) -> list[CheckMessage]:
    if not conf.API_KEY or conf.API_KEY != conf.SITE_ID:
        return []
    return [
        Error(
            "The secret API_KEY is the public SITE_ID.",
            hint="Make one: python -c 'import secrets; print(secrets.token_urlsafe(32))'.",
            id="identity_tracking.E006",
        )
    ]


def check_cross_site(**kwargs: Any) -> list[CheckMessage]:
    if not conf.CROSS_SITE or conf.ALLOWED_ORIGINS:
        return []
    return [
        Caution(
            "CROSS_SITE is on, but no other origin may post.",
            hint='Name the pages\' origins in ALLOWED_ORIGINS, as in "https://shop.example".',
            id="identity_tracking.W002",
        )
    ]


def check_origins(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{origin!r} in ALLOWED_ORIGINS is no origin.",
            hint='Write scheme, host and port alone, as a browser does: "https://shop.example".',
            id="identity_tracking.E007",
        )
        for origin in conf.ALLOWED_ORIGINS
        if not ORIGIN.fullmatch(str(origin))
    ]


def check_success_urls(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"{url!r} in FORM_SUCCESS_URLS is no page and no origin.",
            hint='Write it in full, without a query: "https://shop.example/thanks/".',
            id="identity_tracking.E016",
        )
        for url in conf.FORM_SUCCESS_URLS
        if not ORIGIN.fullmatch("/".join(str(url).split("/")[:3])) or {"?", "#"} & {*str(url)}
    ]


def check_site_id(**kwargs: Any) -> list[CheckMessage]:
    if SEPARATOR not in str(conf.SITE_ID):
        return []
    return [
        Error(
            f"The SITE_ID {conf.SITE_ID!r} holds {SEPARATOR!r}.",
            hint='What follows one is a signature. Write "-" or "_", as in "shop-de".',
            id="identity_tracking.E008",
        )
    ]


def check_consent(**kwargs: Any) -> list[CheckMessage]:
    if "CONSENT" in conf.given() or not conf.ENABLED:
        return []
    return [
        Caution(
            "CONSENT is not set: every visitor is recorded, and asked for nothing.",
            hint=f"Choose one of {MODES}; see docs/privacy.md.",
            id="identity_tracking.W007",
        )
    ]


def check_consent_mode(**kwargs: Any) -> list[CheckMessage]:
    if conf.CONSENT in list(Consent):
        return []
    return [
        Error(
            f"CONSENT is {conf.CONSENT!r}.",
            hint=f"Choose one of {MODES}.",
            id="identity_tracking.E011",
        )
    ]


def check_consent_source(**kwargs: Any) -> list[CheckMessage]:
    if conf.CONSENT == Consent.OFF or conf.CONSENT_COOKIE or conf.HAS_CONSENT:
        return []
    return [
        Error(
            f"CONSENT is {conf.CONSENT!r}, but nothing says who consents.",
            hint='Name your cookie in CONSENT_COOKIE, as in "consent=yes", or set HAS_CONSENT.',
            id="identity_tracking.E012",
        )
    ]


def check_routers(**kwargs: Any) -> list[CheckMessage]:
    models = list(apps.get_app_config("identity_tracking").get_models())
    using = database()
    if all(
        router.db_for_write(model) == using and router.allow_migrate_model(using, model)
        for model in models
    ):
        return []
    return [
        Error(
            "DATABASE_ROUTERS part the tables of identity_tracking, or do not let them be made.",
            hint="For all of app_label 'identity_tracking' name one alias in db_for_write, and "
            "return True for it in allow_migrate.",
            id="identity_tracking.E013",
        )
    ]


def check_sqlite(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    connection = connections[database()]
    if connection.vendor != "sqlite" or connection.alias not in (databases or ()):
        return []
    options = connection.settings_dict.get("OPTIONS", {})
    if (
        str(options.get("transaction_mode", "")).upper() == "IMMEDIATE"
        and "wal" in str(options.get("init_command", "")).lower()
    ):
        return []
    return [
        Caution(
            "SQLite is not set to WAL and IMMEDIATE: visitors wait for each other.",
            hint='Set OPTIONS to {"transaction_mode": "IMMEDIATE", '
            '"init_command": "PRAGMA journal_mode=WAL;"}.',
            id="identity_tracking.W003",
        )
    ]


def check_mysql(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    connection = connections[database()]
    if connection.vendor != "mysql" or connection.alias not in (databases or ()):
        return []
    if connection.features.can_return_columns_from_insert:
        return []
    return [
        Error(
            "MySQL cannot say which rows of an INSERT were new: messages would be lost.",
            hint="Use MariaDB 10.5 or newer, PostgreSQL or SQLite.",
            id="identity_tracking.E009",
        )
    ]


def check_isolation(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    connection = connections[database()]
    if connection.vendor != "mysql" or connection.alias not in (databases or ()):
        return []
    level = connection.settings_dict.get("OPTIONS", {}).get("isolation_level", ISOLATION)
    if str(level).lower() == ISOLATION:
        return []
    return [
        Caution(
            f"MariaDB's isolation level is not {ISOLATION!r}: a visitor may be nobody's.",
            hint=f"Set OPTIONS to {{'isolation_level': {ISOLATION!r}}}, which is Django's default.",
            id="identity_tracking.W005",
        )
    ]


def check_character_set(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    connection = connections[database()]
    if connection.vendor != "mysql" or connection.alias not in (databases or ()):
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT @@character_set_database, @@character_set_client")
        if set(cursor.fetchone()) == {"utf8mb4"}:
            return []
    return [
        Caution(
            "MariaDB's character set is not utf8mb4: names with emoji are lost.",
            hint="Before you migrate: ALTER DATABASE … CHARACTER SET utf8mb4; "
            'and set no other "charset" in OPTIONS.',
            id="identity_tracking.W006",
        )
    ]


def check_durability(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    connection = connections[database()]
    if connection.vendor != "postgresql" or connection.alias not in (databases or ()):
        return []
    with connection.cursor() as cursor:
        cursor.execute("SHOW synchronous_commit")
        setting = cursor.fetchone()[0]
    if setting != "off":
        return []
    return [
        Caution(
            "PostgreSQL's synchronous_commit is off: a crash may lose answered events.",
            hint="Set synchronous_commit to on.",
            id="identity_tracking.W004",
        )
    ]


def check_suppressed(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    using = database()
    if using not in (databases or ()):
        return []
    if Suppression._meta.db_table not in connections[using].introspection.table_names():
        return []  # not migrated yet
    marks = map(suppression.mark, suppression.secrets())
    if not Suppression.objects.using(using).exclude(made_with__in=marks).exists():
        return []
    return [
        Error(
            "People were erased under another SUPPRESSION_KEY: they are not refused.",
            hint="Set SUPPRESSION_KEY to what it was when they were erased: if it was not set, to "
            "the API_KEY of then.",
            id="identity_tracking.E010",
        )
    ]


def check_suppression_key(**kwargs: Any) -> list[CheckMessage]:
    if conf.SUPPRESSION_KEY:
        return []
    return [
        Caution(
            "SUPPRESSION_KEY is not set: API_KEY takes its place, and must never change then.",
            hint="Make one before anybody is erased, and keep it for ever: "
            "python -c 'import secrets; print(secrets.token_urlsafe(32))'. "
            "Where somebody was erased by now, set it to API_KEY, which may change then.",
            id="identity_tracking.W008",
        )
    ]
