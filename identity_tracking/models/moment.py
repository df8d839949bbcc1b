"""A point in time, kept and given back exactly, whatever the site's USE_TZ says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.timezone import get_default_timezone, is_naive, make_aware, make_naive


class _MomentField(models.DateTimeField):  # type: ignore[type-arg]
    """A DateTimeField of aware datetimes, also where USE_TZ is False; kept in UTC.

    What a site without time zones calls now counts as its TIME_ZONE's. To such a site a value
    comes back at the offset of that zone, so that templates, which convert nothing there, show
    local time. A fixed offset: times of one zone are compared, and subtracted, by the clock on
    the wall, which runs an hour twice.
    """

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        """Return a DateTimeField: the column is one, and migrations need no more."""
        name, _, args, options = super().deconstruct()
        return name, "django.db.models.DateTimeField", args, options

    def get_prep_value(self, value: Any) -> Any:
        if settings.USE_TZ:
            return super().get_prep_value(value)
        value = self.to_python(value)
        if isinstance(value, datetime) and is_naive(value):
            return make_aware(value, get_default_timezone())
        return value

    def get_db_prep_value(
        self,
        value: Any,
        connection: BaseDatabaseWrapper,
        prepared: bool = False,  # noqa: FBT001, FBT002
    ) -> Any:
        if not settings.USE_TZ:
            value, prepared = value if prepared else self.get_prep_value(value), True
            if isinstance(value, datetime) and not _keeps_zones(connection):
                value = make_naive(value, UTC)
        return super().get_db_prep_value(value, connection, prepared)

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        """Return none where USE_TZ is True, as nearly everywhere: there Django's own suffice."""
        return [] if settings.USE_TZ else [_as_local]


if TYPE_CHECKING:
    MomentField = models.DateTimeField  # whose values Django's plugin for mypy knows
else:
    MomentField = _MomentField


def present() -> datetime:
    """Return this moment; also where USE_TZ is False an aware one."""
    return datetime.now(UTC)


def moment_of(read: Any, using: str) -> datetime:
    """Return the moment that plain SQL read from a MomentField of the database ``using``.

    SQLite gives text, and only PostgreSQL a zone, where USE_TZ is True.
    """
    time: datetime = datetime.fromisoformat(read) if isinstance(read, str) else read
    return time if time.tzinfo else make_aware(time, _zone(connections[using]))


def _as_local(value: datetime | None, expression: Any, connection: BaseDatabaseWrapper) -> Any:
    """Return what a database gave to a site without time zones as the moment that it is."""
    if value is None:
        return None
    local = make_aware(value, _zone(connection)).astimezone(get_default_timezone())
    return local.replace(tzinfo=timezone(local.utcoffset() or timedelta(0)))


def _zone(connection: BaseDatabaseWrapper) -> tzinfo:
    """Return in which zone a database gives times without one."""
    if settings.USE_TZ:
        return connection.timezone or UTC
    return get_default_timezone() if _keeps_zones(connection) else UTC


def _keeps_zones(connection: BaseDatabaseWrapper) -> bool:
    """Whether the database itself converts times, and gives them back in TIME_ZONE."""
    return connection.vendor == "postgresql"
