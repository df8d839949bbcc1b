"""Paginators for tables of any size: they count to a ceiling, never a whole table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

if TYPE_CHECKING:
    StockPaginator: TypeAlias = Paginator[Any]
else:
    StockPaginator = Paginator

CEILING = 10_000  # rows: what lies behind is reached by a filter or the search


class CappedPaginator(StockPaginator):
    """Pages over the first CEILING rows; ``is_capped`` says that there are more."""

    @cached_property
    def found(self) -> int:
        """How many rows there are, but never more than one above the ceiling."""
        rows: QuerySet[Any] = self.object_list  # type: ignore[assignment]
        return rows.order_by().values("pk")[: CEILING + 1].count()

    @cached_property
    def count(self) -> int:
        return min(self.found, CEILING)

    @property
    def is_capped(self) -> bool:
        return self.found > CEILING
