from __future__ import annotations

import pytest

from identity_tracking.conf import Conf, conf
from tests.web import configure


def test_a_setting_is_what_the_site_says_else_its_default(settings):
    assert (conf.SITE_ID, conf.COOKIE_MAX_AGE) == ("shop", 365 * 24 * 60 * 60)

    configure(settings, SITE_ID="other")

    assert conf.SITE_ID == "other"


def test_without_any_setting_the_defaults_stand(settings):
    del settings.IDENTITY_TRACKING

    assert conf.SITE_ID == "site"
    assert conf.ENABLED is True


def test_a_setting_is_read_anew_at_each_access(settings):
    for value in (True, False):
        configure(settings, ENABLED=value)
        assert conf.ENABLED is value


@pytest.mark.parametrize("value", [len, "builtins.len"])
def test_a_hook_is_a_function_or_its_path(settings, value):
    configure(settings, EXCLUDE=value)

    assert conf.hook("EXCLUDE") is len


def test_no_hook_is_none():
    assert conf.hook("EXCLUDE") is None


def test_cookies_live_no_longer_than_browsers_keep_them():
    assert Conf.COOKIE_MAX_AGE < 400 * 24 * 60 * 60
