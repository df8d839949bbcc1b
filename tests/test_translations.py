"""The catalogues: nothing of the source is left out, and each says what its text says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polib
import pytest
from django.urls import reverse

import identity_tracking
from tests.conftest import REQUIRED
from tests.factories import ActivityFactory, PersonFactory

PACKAGE = Path(identity_tracking.__file__).parent
LANGUAGES = sorted(folder.name for folder in (PACKAGE / "locale").iterdir())
EXTRACT = ["makemessages", "--no-location", "--no-obsolete"]
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}|</?\w+[^>]*>")
HEADINGS = {
    "de": (
        ["Personen", "Status", "zuerst gesehen", "letzte 30 Tage", "Nach Status"],
        ["Kennungen", "Zeitleiste", "Seitenaufruf", "2 Aktivitäten", "Exportieren …"],
    ),
    "fr": (
        ["Personnes", "Statut", "Première visite", "30 derniers jours", "Par statut"],
        ["Identifiants", "Chronologie", "Page vue", "2 activités", "Exporter …"],
    ),
}

every_language = pytest.mark.parametrize("language", LANGUAGES)


def catalogue(language, package=PACKAGE):
    return polib.pofile(str(package / "locale" / language / "LC_MESSAGES" / "django.po"))


def said(entries):
    """Return what is said in a catalogue, by context and text."""
    return {
        (one.msgctxt, one.msgid): one.msgstr_plural or one.msgstr
        for one in entries
        if not one.obsolete
    }


def pairs(entry):
    """Yield each translation of an entry with the text that it stands for."""
    if not entry.msgid_plural:
        yield entry.msgid, entry.msgstr
    for number, text in entry.msgstr_plural.items():
        yield (entry.msgid_plural if number else entry.msgid), text


@pytest.fixture
def extracted(tmp_path):
    """Take the package's strings anew, into a copy of its catalogues."""
    if not shutil.which("xgettext"):
        end = pytest.fail if "gettext" in REQUIRED else pytest.skip
        end("needs xgettext of GNU gettext on the PATH")
    copy = tmp_path / "identity_tracking"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("sdk", "__pycache__"))
    locales = [f"--locale={language}" for language in LANGUAGES]
    command = [sys.executable, "-m", "django", *EXTRACT, *locales]
    env = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
    subprocess.run(command, cwd=copy, env=env, check=True, capture_output=True)  # noqa: S603
    return copy


def test_there_is_german_and_french():
    assert {"de", "fr"} <= set(LANGUAGES)


def test_every_string_of_the_source_is_in_every_catalogue_and_no_other(extracted):
    for language in LANGUAGES:
        found, kept = said(catalogue(language, extracted)), said(catalogue(language))

        assert found.keys() - kept.keys() == set(), "make messages"
        assert kept.keys() - found.keys() == set(), "make messages"


@every_language
def test_every_entry_is_translated_and_none_is_a_guess(language):
    entries = catalogue(language)

    assert [one.msgid for one in entries if not one.translated()] == []
    assert [one.msgid for one in entries if one.fuzzy or one.obsolete] == []


@every_language
def test_a_translation_keeps_placeholders_markup_and_space_around_it(language):
    for text, translated in (pair for entry in catalogue(language) for pair in pairs(entry)):
        assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(translated))
        assert text.startswith(" ") == translated.startswith(" ")
        assert text.endswith((".", ":", "…")) == translated.endswith((".", ":", "…"))


@every_language
def test_the_compiled_catalogue_says_what_the_text_says(language):
    compiled = polib.mofile(str(PACKAGE / "locale" / language / "LC_MESSAGES" / "django.mo"))

    assert said(compiled) == said(catalogue(language)), "make messages"


@pytest.fixture
def somebody(db):
    person = PersonFactory(user_id="ada", attributes={"first_name": "Ada"})
    ActivityFactory.create_batch(2, identifier=person.anchor, type="page")
    return person


def text_of(answer):
    assert answer.status_code == 200
    return " ".join(re.sub("<[^>]*>", " ", answer.content.decode()).split())


@pytest.mark.parametrize("language", HEADINGS)
def test_the_screens_of_people_speak_the_language(language, admin_client, settings, somebody):
    settings.LANGUAGE_CODE = language
    listed, shown = HEADINGS[language]

    people = text_of(admin_client.get(reverse("admin:identity_tracking_person_changelist")))
    person = text_of(admin_client.get(page_of(somebody)))

    assert [one for one in listed if one.casefold() not in people.casefold()] == []
    assert [one for one in shown if one not in person] == []


@pytest.mark.parametrize("language", ["ar", "he"])
def test_a_language_without_a_catalogue_reads_english_from_right_to_left(
    language, admin_client, settings, somebody
):
    settings.LANGUAGE_CODE = language

    answer = admin_client.get(page_of(somebody))

    assert f'<html lang="{language}" dir="rtl"' in answer.content.decode()
    assert "Timeline" in text_of(answer)


def page_of(person):
    return reverse("admin:identity_tracking_person_change", args=[person.pk])
