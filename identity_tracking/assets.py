"""The browser's part, as it is built and committed: the stub's text and the script's bytes."""

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
def script() -> bytes:
    """Return the minified script."""
    return (_BUILT / "visitor.min.js").read_bytes()


@cache
def script_gzipped() -> bytes:
    """Return the minified script, compressed once and for all."""
    return gzip.compress(script(), mtime=0)


@cache
def version() -> str:
    """Return a name for this build of the script: it stands in its URL, which never changes."""
    return blake2b(script(), digest_size=6).hexdigest()
