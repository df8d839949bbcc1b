"""Running commands, and what they tell."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command


@pytest.fixture
def run():
    """Run a command; return what it wrote."""

    def run(*command, **options):
        out = StringIO()
        call_command(*command, stdout=out, stderr=StringIO(), **options)
        return out.getvalue()

    return run


@pytest.fixture
def answer(monkeypatch):
    """Type an answer to whatever is asked; return the questions."""
    asked = []

    def answer(text):
        def typed(question):
            asked.append(question)
            return text

        monkeypatch.setattr("builtins.input", typed)
        return asked

    return answer
