"""Which people have an attribute, or one of a certain value: a condition for every database.

No index answers it: whoever asks says among how many rows is looked.
"""

from __future__ import annotations

import json
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BooleanField, Func
from django.db.models.sql.compiler import SQLCompiler

from identity_tracking.payloads import Json

LARGEST = 2**63 - 1  # what databases count to; NaN is not below it


def meant(text: str) -> list[Json]:
    """Return the values that ``text`` may mean: 5 as well as "5", true as well as "true"."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return [text]
    is_number = isinstance(value, bool | int | float) and abs(value) <= LARGEST
    return [text, value] if is_number else [text]


class Holds(Func):
    """Whether a column of objects has ``name``; with ``values``, whether as one of these.

    Names and values are never part of a path, whose quoting databases do not agree on.
    """

    output_field = BooleanField()

    def __init__(self, column: str, name: str, values: list[Json]) -> None:
        super().__init__(column)
        self.name = name
        self.values = values

    def as_postgresql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, list[Any]]:
        if not self.values:
            return self._any(compiler, "JSONB_EXISTS({}, %s)", [self.name])
        pairs = [json.dumps({self.name: value}) for value in self.values]
        return self._any(compiler, "{} @> %s::jsonb", pairs)

    def as_mysql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, list[Any]]:
        if not self.values:
            return self._any(compiler, "JSON_CONTAINS(JSON_KEYS({}), %s)", [json.dumps(self.name)])
        pairs = [json.dumps({self.name: value}) for value in self.values]
        return self._any(compiler, "JSON_CONTAINS({}, %s)", pairs)

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **_: Any
    ) -> tuple[str, tuple[Any, ...]]:
        column, params = compiler.compile(self.source_expressions[0])
        is_one = " OR ".join(_SAME[type(value)] for value in self.values) or "1"
        values = [json.dumps(one) if isinstance(one, bool) else one for one in self.values]
        found = f"SELECT 1 FROM JSON_EACH({column}) one WHERE one.key = %s AND ({is_one})"  # noqa: S608 no value in it
        return f"EXISTS ({found})", (*params, self.name, *values)

    def _any(self, compiler: SQLCompiler, test: str, each: list[str]) -> tuple[str, list[Any]]:
        column, params = compiler.compile(self.source_expressions[0])
        tests = " OR ".join(test.format(column) for _one in each)
        return f"({tests})", [param for one in each for param in (*params, one)]


_NUMBER = "one.type IN ('integer', 'real') AND one.atom = %s"
_SAME = {
    str: "one.type = 'text' AND one.atom = %s",
    bool: "one.type = %s",
    int: _NUMBER,
    float: _NUMBER,
}
