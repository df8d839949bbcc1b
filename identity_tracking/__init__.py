"""People tracking for Django: the public Python API, loaded when first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from identity_tracking.shortcuts import (
        alias,
        identify,
        merge,
        page,
        relate,
        reset,
        track,
        unrelate,
        why,
    )

__version__ = "0.1.0"

__all__ = [
    "alias",
    "identify",
    "merge",
    "page",
    "relate",
    "reset",
    "track",
    "unrelate",
    "why",
]


def __getattr__(name: str) -> Any:
    """Import the API late: INSTALLED_APPS imports this package before models can be."""
    if name in __all__:
        return getattr(import_module("identity_tracking.shortcuts"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
