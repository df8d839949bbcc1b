"""A request as a client sent it, and the status that answered it; as lines of JSON."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, kw_only=True, slots=True)
class Exchange:
    """``path`` as it was sent, with its query. ``at``: unix seconds."""

    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def is_taken(self) -> bool:
        """Whether the answer said that it was stored; otherwise a client sends it again."""
        return self.status < 400

    @property
    def asked(self) -> str:
        """The request in short: "POST /people/v1/batch"."""
        return f"{self.method} {urlsplit(self.path).path}"

    def header(self, name: str) -> str:
        return next((self.headers[key] for key in self.headers if key.lower() == name), "")

    def written(self) -> dict[str, Any]:
        """Return it as a line of a recording: the body as text, or as Base64 where it is none."""
        try:
            body = {"body_raw": self.body.decode()}
        except UnicodeDecodeError:
            body = {"body_base64": base64.b64encode(self.body).decode()}
        return {
            "t": self.at,
            "method": self.method,
            "path": self.path,
            "headers": dict(self.headers),
            **body,
            "responded": self.status,
        }


def recorded(file: Path) -> Iterator[Exchange]:
    """Read a recording, of ours or of another's: the query and a parsed body may stand apart."""
    with file.open() as lines:
        yield from (_read(json.loads(line)) for line in lines if line.strip())


def _read(line: Mapping[str, Any]) -> Exchange:
    query = line.get("query")
    return Exchange(
        at=line["t"],
        method=line["method"],
        path=f"{line['path']}?{query}" if query else line["path"],
        headers=dict(line["headers"]),
        body=_body(line),
        status=line.get("responded", line.get("status_given", 0)),
    )


def _body(line: Mapping[str, Any]) -> bytes:
    if "body_base64" in line:
        return base64.b64decode(line["body_base64"])
    if "json" not in line:
        return str(line.get("body_raw", line.get("body", ""))).encode()
    body = json.dumps(line["json"]).encode()
    return gzip.compress(body) if line.get("encoding") == "gzip" else body
