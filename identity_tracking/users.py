"""What a login tells of its person: the defaults of USER_ID, USER_ATTRIBUTES and EMAIL_VERIFIED."""

from __future__ import annotations

from typing import Any

from django.apps import apps

from identity_tracking.payloads import Json


def user_id(user: Any) -> str:
    """Return the primary key: it never changes and is never given to somebody else."""
    return str(user.pk)


def user_attributes(user: Any) -> dict[str, Json]:
    """Return what Django's own user model knows: email, names, and when the account was made."""
    joined = getattr(user, "date_joined", None)
    said = {
        "email": getattr(user, user.get_email_field_name(), None),
        "first_name": getattr(user, "first_name", None),
        "last_name": getattr(user, "last_name", None),
        "created_at": int(joined.timestamp()) if joined else None,
    }
    return {name: value for name, value in said.items() if value}


def email_verified(user: Any) -> bool:
    """Say whether the email is proven to be the user's: by allauth, where it is installed."""
    if not apps.is_installed("allauth.account"):
        return False
    addresses: Any = apps.get_app_config("account").get_model("EmailAddress")
    email = getattr(user, user.get_email_field_name(), "")
    return bool(addresses.objects.filter(user=user, email__iexact=email, verified=True).exists())
