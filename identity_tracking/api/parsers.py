"""Bodies as clients of the server APIs send them: JSON, perhaps zipped, or nothing at all."""

from __future__ import annotations

import zlib
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
        if request is not None and "gzip" in request.META.get("HTTP_CONTENT_ENCODING", ""):
            body = self.unzipped(body)
        if len(body) <= self.max_bytes and not body.strip():
            return {}
        parsed = decode(body, limit=self.max_bytes)
        return {} if parsed is None else parsed

    def unzipped(self, body: bytes) -> bytes:
        """Return what ``body`` holds: at most one byte more than the limit, whatever it claims."""
        try:
            return zlib.decompressobj(ZIPPED).decompress(body, self.max_bytes + 1)
        except zlib.error as error:
            raise InvalidMessage("The body is not gzip.", code="invalid_gzip") from error
