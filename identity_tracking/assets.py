"""The browser's part, as it is built and committed: the stub's text and the scripts' bytes."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import blake2b
from pathlib import Path

_BUILT = Path(__file__).parent / "static" / "identity_tracking"


@cache
def stub() -> str:
    """Return the inline stub: constant text, so that one CSP hash covers it."""
    return (_BUILT / "stub.min.js").read_text().strip()


@cache
def script(name: str = "visitor") -> bytes:
    """Return the minified script; ``name``: "visitor", or "forms", which watches the forms."""
    return (_BUILT / f"{name}.min.js").read_bytes()


@cache
def script_gzipped(name: str = "visitor") -> bytes:
    """Return the minified script, compressed once and for all."""
    return gzip.compress(script(name), mtime=0)


@cache
def version(name: str = "visitor") -> str:
    """Return a name for this build of the script: it stands in its URL, which never changes."""
    return blake2b(script(name), digest_size=6).hexdigest()
