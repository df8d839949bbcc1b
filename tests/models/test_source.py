from __future__ import annotations

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from identity_tracking.models import SecretKey, Source
from tests.factories import SourceFactory

pytestmark = pytest.mark.django_db


def refused(**fields):
    with pytest.raises(ValidationError) as error:
        Source(**{"site_id": "blog", "name": "Blog", **fields}).full_clean()
    return set(error.value.message_dict)


@pytest.mark.parametrize("site_id", ["a:b", "", "a b", "ä", "a\n", "a/b", "-a", "a" * 65])
def test_a_site_id_can_stand_in_addresses_and_headers(site_id):
    assert refused(site_id=site_id) == {"site_id"}


@pytest.mark.parametrize("site_id", ["shop", "SHOP"])
def test_the_site_id_of_the_settings_is_taken(site_id):
    assert refused(site_id=site_id) == {"__all__"}


@pytest.mark.parametrize(
    "origin", ["shop.example", "https://shop.example/", "*", "null", "https://a.example,b"]
)
def test_what_no_browser_sends_is_no_origin(origin):
    assert refused(allowed_origins=f"https://a.example\n{origin}") == {"allowed_origins"}


def test_a_source_as_it_should_be_passes():
    Source(site_id="shop-de.2", name="Shop", allowed_origins="http://[::1]:80").full_clean()


def test_a_site_id_and_a_key_are_one_sources():
    source = SourceFactory()
    SecretKey.objects.create(source=source, digest="d")
    for again in (lambda: SourceFactory(site_id=source.site_id), lambda: _same_key(source)):
        with pytest.raises(IntegrityError), transaction.atomic():
            again()


def _same_key(source):
    SecretKey.objects.create(source=source, digest="d")
