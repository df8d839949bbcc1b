"""Signatures: a page carries that of its user's id, where no session cookie can prove the id.

Made with SECRET_KEY, heeding SECRET_KEY_FALLBACKS, and good for SIGNATURE_MAX_AGE seconds.
"""

from __future__ import annotations

from django.core import signing

from identity_tracking.conf import conf
from identity_tracking.identifiers import Names, names

SEPARATOR = ":"  # no SITE_ID holds it: in HTTP's Basic authentication it ends one
_SALT = "identity_tracking.signatures"


def sign(proven: Names) -> str:
    """Return the signature of somebody's id and, if they are called one, email."""
    signed = {ref.kind.name.lower(): ref.value for ref in (proven.id, proven.email) if ref}
    return signing.dumps(signed, salt=_salt())


def read(signature: str) -> Names:
    """Return what ``signature`` proves: nothing, if it is expired or not this site's own."""
    try:
        signed = signing.loads(signature, salt=_salt(), max_age=conf.SIGNATURE_MAX_AGE)
    except (signing.BadSignature, UnicodeEncodeError):
        return Names()
    return names(**signed)


def _salt() -> str:
    return f"{_SALT}{SEPARATOR}{conf.SITE_ID}"  # sites that share a SECRET_KEY share no people
