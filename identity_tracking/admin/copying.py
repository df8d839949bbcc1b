"""A copy of all that is kept of a person, as a file to download: whole, or not at all."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import TextIO

from django.http import FileResponse

from identity_tracking.ingest.transaction import database
from identity_tracking.models import Person
from identity_tracking.privacy.export import write_csv, write_json

WRITERS: Mapping[str, Callable[[Person, TextIO], Iterator[int]]] = {
    "json": lambda person, out: write_json(person, out, database()),
    "csv": write_csv,
}


def copy_of(person: Person, written_as: str) -> FileResponse:
    """Return the file, in JSON unless "csv" is asked for; written to disk before it is sent."""
    extension = written_as if written_as in WRITERS else "json"
    file = TemporaryFile()  # noqa: SIM115 the response closes it
    text = TextIOWrapper(file, encoding="utf-8", newline="")
    deque(WRITERS[extension](person, text), maxlen=0)
    text.detach()
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{person.cio_id}.{extension}")
