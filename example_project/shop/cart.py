"""The cart: how many of what, kept in the session."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from example_project.shop.catalogue import PRODUCTS, Product

KEY = "cart"


class Line(NamedTuple):
    product: Product
    quantity: int

    @property
    def total(self) -> Decimal:
        return self.product.price * self.quantity


class Cart:
    def __init__(self, session: SessionBase) -> None:
        self.session = session

    def __iter__(self) -> Iterator[Line]:
        kept = self.session.get(KEY, {})
        return (Line(PRODUCTS[slug], kept[slug]) for slug in kept if slug in PRODUCTS)

    def __len__(self) -> int:
        return sum(line.quantity for line in self)

    @property
    def total(self) -> Decimal:
        return sum((line.total for line in self), Decimal())

    def add(self, product: Product) -> None:
        kept = self.session.get(KEY, {})
        self.session[KEY] = {**kept, product.slug: kept.get(product.slug, 0) + 1}

    def remove(self, product: Product) -> None:
        kept = self.session.get(KEY, {})
        self.session[KEY] = {slug: kept[slug] for slug in kept if slug != product.slug}

    def clear(self) -> None:
        self.session.pop(KEY, None)


def cart(request: HttpRequest) -> dict[str, Any]:
    """Give every template the cart."""
    return {"cart": Cart(request.session)}
