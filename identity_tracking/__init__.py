"""People tracking for Django: the public Python API, loaded when first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from identity_tracking.asynchronous import (
        aalias,
        agroup,
        aidentify,
        apage,
        arelate,
        atrack,
        aunrelate,
    )
    from identity_tracking.rights import delete, erase, export
    from identity_tracking.shortcuts import (
        alias,
        group,
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
    "aalias",
    "agroup",
    "aidentify",
    "alias",
    "apage",
    "arelate",
    "atrack",
    "aunrelate",
    "delete",
    "erase",
    "export",
    "group",
    "identify",
    "merge",
    "page",
    "relate",
    "reset",
    "track",
    "unrelate",
    "why",
]


_ROOMS = {
    **dict.fromkeys(("delete", "erase", "export"), "rights"),
    **dict.fromkeys(
        ("aalias", "agroup", "aidentify", "apage", "arelate", "atrack", "aunrelate"),
        "asynchronous",
    ),
}


def __getattr__(name: str) -> Any:
    """Import the API late: INSTALLED_APPS imports this package before models can be."""
    if name in __all__:
        room = _ROOMS.get(name, "shortcuts")
        return getattr(import_module(f"identity_tracking.{room}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
