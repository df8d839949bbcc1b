"""Bodies as clients of the server APIs send them: JSON, perhaps zipped, or nothing at all."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any

from identity_tracking.api.base import StrictJSONParser
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.payloads import Json, decode

ZIPPED = 16 + zlib.MAX_WBITS  # a gzip header: https://docs.python.org/3/library/zlib.html


class BodyParser(StrictJSONParser):
    """Parse strict JSON; an empty body, or null, is an empty object. Heeds Content-Encoding."""

    max_bytes = 512_000  # 500 KB: Customer.io's limit for a batch, and Segment's

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Json:
        body = self.read(stream)
        request = (parser_context or {}).get("request")
        if body and request is not None and _is_zipped(request.META):
            body = self.unzipped(body)
        if len(body) <= self.max_bytes and not body.strip():
            return {}
        parsed = decode(body, limit=self.max_bytes)
        return {} if parsed is None else parsed

    def unzipped(self, body: bytes) -> bytes:
        """Return what ``body`` holds: at most one byte more than the limit, whatever it claims."""
        stream = zlib.decompressobj(ZIPPED)
        try:
            unzipped = stream.decompress(body, self.max_bytes + 1)
        except zlib.error as error:
            raise InvalidMessage("The body is not gzip.", code="invalid_gzip") from error
        if len(unzipped) <= self.max_bytes and not stream.eof:
            raise InvalidMessage("The body is not all of a gzip.", code="invalid_gzip")
        return unzipped


def _is_zipped(meta: Mapping[str, str]) -> bool:
    """Say whether a body is gzip. Case does not matter: RFC 9110, section 8.4.1."""
    return "gzip" in meta.get("HTTP_CONTENT_ENCODING", "").lower()
