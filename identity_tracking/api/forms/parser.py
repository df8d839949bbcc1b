"""What a browser posts of a form, read strictly: url-encoded text, and no files."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from identity_tracking.api.base import StrictJSONParser
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.payloads import MAX_KEYS, Json

URL_ENCODED = "application/x-www-form-urlencoded"


class FormParser(StrictJSONParser):
    """Parse the fields of a form. One that came several times, as of checkboxes, is a list."""

    def parse(self, stream: Any, media_type: Any = None, parser_context: Any = None) -> Json:
        if str(media_type or "").partition(";")[0].strip().lower() != URL_ENCODED:
            raise InvalidMessage("A form is url-encoded, without files.", code="invalid_body")
        body = self.read(stream)
        if len(body) > self.max_bytes:
            raise InvalidMessage(f"A body has at most {self.max_bytes} bytes.", code="too_large")
        text = body.decode("utf-8", "replace")
        try:
            fields = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_KEYS)
        except ValueError as error:
            raise InvalidMessage("A form has too many fields.", code="too_many_keys") from error
        parsed: dict[str, Json] = {}
        for name, value in fields:
            parsed.setdefault(name, []).append(value)
        return {name: values if len(values) > 1 else values[0] for name, values in parsed.items()}
