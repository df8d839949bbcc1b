"""System checks of sources, and of how many calls they may make."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as Caution
from django.db import connections

from identity_tracking.conf import conf
from identity_tracking.ingest.transaction import database
from identity_tracking.models import Source

RATE = re.compile(r"[1-9][0-9]*/(s|sec|second|m|min|minute|h|hour|d|day)")
RATES = ("THROTTLE_ADDRESS", "THROTTLE_SOURCE")


def connect() -> None:
    """Register the checks; called once, when the app is ready."""
    register(check_rates)
    register(check_proxies, Tags.security, deploy=True)
    register(check_hidden_sources, Tags.database)


def check_rates(**kwargs: Any) -> list[CheckMessage]:
    return [
        Error(
            f"IDENTITY_TRACKING[{name!r}] is {rate!r}, which is no rate.",
            hint='Write how many calls a second, minute, hour or day: "1200/min". None: no limit.',
            id="identity_tracking.E014",
        )
        for name in RATES
        if (rate := getattr(conf, name)) is not None and not RATE.fullmatch(str(rate))
    ]


def check_proxies(**kwargs: Any) -> list[CheckMessage]:
    if conf.TRUSTED_PROXIES is not None or conf.THROTTLE_ADDRESS is None:
        return []
    return [
        Caution(
            "TRUSTED_PROXIES is not set: one address may call as often as it likes.",
            hint="Set it to the number of proxies before Django that write X-Forwarded-For: 0, 1 …",
            id="identity_tracking.W009",
        )
    ]


def check_hidden_sources(
    *, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    using = database()
    if using not in (databases or ()):
        return []
    if Source._meta.db_table not in connections[using].introspection.table_names():
        return []  # not migrated yet
    if not Source.objects.using(using).filter(site_id=conf.SITE_ID).exists():
        return []
    return [
        Error(
            f"A source of the admin is called {conf.SITE_ID!r}, as SITE_ID is: its keys are void.",
            hint="Give SITE_ID its former value, or one that no source has.",
            id="identity_tracking.E015",
        )
    ]
