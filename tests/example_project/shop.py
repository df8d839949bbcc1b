"""The example shop's settings over the tests' own, which keep the database."""

from __future__ import annotations

from django.test import override_settings

from example_project import settings as of_shop

NAMES = (
    "IDENTITY_TRACKING",
    "INSTALLED_APPS",
    "MIDDLEWARE",
    "TEMPLATES",
    "ROOT_URLCONF",
    "LOGIN_URL",
    "LOGIN_REDIRECT_URL",
    "LOGOUT_REDIRECT_URL",
)


def as_the_shop() -> override_settings:
    chosen = {name: getattr(of_shop, name) for name in NAMES}
    # With STATICFILES_DIRS overridden Django looks for static files in the new apps, too.
    return override_settings(**chosen, STATICFILES_DIRS=[])
