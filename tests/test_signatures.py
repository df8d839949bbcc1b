from __future__ import annotations

import pytest
import time_machine
from django.core import signing

from identity_tracking import signatures
from identity_tracking.identifiers import Names, names
from tests.web import configure

ADA = names(id="42", email="Ada@example.com")


@pytest.mark.parametrize("who", [ADA, names(id="42"), names(id="Ådä 😀:")])
def test_what_was_signed_is_proven(who):
    assert signatures.read(signatures.sign(who)) == who


@pytest.mark.case("SPOOF-12")
@pytest.mark.parametrize(("seconds", "proven"), [(86_390, ADA), (86_410, Names())])
def test_a_signature_expires_after_a_day(seconds, proven):
    with time_machine.travel("2026-11-21T12:00:00Z", tick=False) as clock:
        signature = signatures.sign(ADA)
        clock.shift(seconds)

        assert signatures.read(signature) == proven


def test_the_site_says_how_long_a_signature_is_good(settings):
    configure(settings, SIGNATURE_MAX_AGE=60)

    with time_machine.travel("2026-11-21T12:00:00Z", tick=False) as clock:
        signature = signatures.sign(ADA)
        clock.shift(61)

        assert signatures.read(signature) == Names()


def test_no_character_of_a_signature_can_be_changed():
    signature = signatures.sign(ADA)
    changed = [
        signature[:n] + ("A" if signature[n] != "A" else "B") + signature[n + 1 :]
        for n in range(len(signature))
    ]

    assert {signatures.read(one) for one in changed} == {Names()}


@pytest.mark.parametrize(
    "signature", ["", ":", "::", ":::", "x", "\0", "\ud800:\ud800:\ud800", "é:é:é", "a:" * 60_000]
)
def test_what_is_no_signature_proves_nothing(signature):
    assert signatures.read(signature) == Names()


def test_a_signature_by_another_key_proves_nothing(settings):
    signature = signatures.sign(ADA)
    settings.SECRET_KEY = "another"

    assert signatures.read(signature) == Names()


@pytest.mark.case("COOK-06")
def test_a_signature_by_the_key_of_before_is_still_good(settings):
    signature = signatures.sign(ADA)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another"

    assert signatures.read(signature) == ADA


def test_a_signature_is_good_for_its_own_site_alone(settings):
    signature = signatures.sign(ADA)
    configure(settings, SITE_ID="other")

    assert signatures.read(signature) == Names()


@pytest.mark.case("COOK-05")
def test_what_the_site_signs_for_other_purposes_proves_nothing():
    assert signatures.read(signing.dumps({"id": "42"})) == Names()
