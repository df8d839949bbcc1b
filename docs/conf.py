"""How Sphinx builds the documentation: ``make docs``. The pages are Markdown, the API is read."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import django
from django.conf import settings

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from docs.generated import fill
from identity_tracking import __version__

if TYPE_CHECKING:
    from sphinx.application import Sphinx

settings.configure(
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "rest_framework",
        "identity_tracking",
    ],
    USE_TZ=True,
)
django.setup()

project = "identity_tracking"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
exclude_patterns = ["_build"]

html_theme = "furo"
html_title = f"{project} {version}"
html_static_path = ["static"]
html_css_files = ["narrow.css"]
html_copy_source = False
html_show_copyright = False

myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
add_module_names = False


def setup(app: Sphinx) -> None:
    """Fill in what is generated, before a page is read."""
    app.connect("source-read", _read)


def _read(app: Sphinx, name: str, source: list[str]) -> None:
    source[0] = fill(source[0])
