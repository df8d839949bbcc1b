"""What the names of a form's fields tell: which are never taken, and what the others usually mean.

Pure: asks neither a request nor the database. The script in the page keeps to the same rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

# https://docs.customer.io/integrations/api/track/#operation/submitForm
ABOUT_THE_FORM = frozenset({"form_id", "form_name", "form_type", "form_url", "form_url_param"})
NAMING = frozenset({"id", "email", "anonymous_id", "cio_id"})  # never an attribute of these names
KEYWORDS = frozenset({"anonymous_id", "cio_id", "cio_relationships", "site_id", "success_url"})

_SECRET = re.compile(
    "pass(word|wor[dt]|wd|phrase|code)|kennwort|motdepasse|contrase[nñ]a|csrf|xsrf|nonce|captcha"
    "|turnstile|authenticity|verificationtoken|creditcard|kreditkarte|cartebancaire|securitycode"
    "|card(number|num|no|cvc|cvv|code|exp|holder)|cc(number|num|exp|csc|cvc|cvv)"
)
_SECRET_WORDS = frozenset({"pwd", "pass", "cvv", "cvc", "csc", "otp", "token", "secret"})
_EMAIL_WORDS = frozenset(
    {"email", "mail", "emailaddress", "emailadresse", "mailadresse", "courriel", "correo", "epost"}
)
_ADDRESS = frozenset({"address", "adresse"})
_NOT_THEIRS = frozenset(  # somebody else's address, or a question about mail
    {"friend", "friends", "recipient", "recipients", "to", "cc", "bcc", "invite", "invited"}
    | {"referral", "refer", "gift", "guest", "colleague", "manager", "confirm", "repeat"}
    | {"by", "via", "per", "no", "prefer", "opt"}
)
_WORD_ENDS = re.compile(r"(?<=[a-z])(?=[A-Z\d])|[\W_]+")


class Role(TextChoices):
    """What a field of a form gives."""

    ATTRIBUTE = "attribute", _("an attribute")
    EMAIL = "email", _("the email")
    ID = "id", _("the id (trusted calls only)")
    IGNORE = "ignore", _("nothing: kept with the submission")


def may_be_taken(name: str) -> bool:
    """Say whether a field is the form's own: no password, card or token, and no keyword."""
    if not name.strip() or name in ABOUT_THE_FORM or name in KEYWORDS:
        return False
    words = _words(name)
    of_card = words[:1] == ["cc"] and len(words) > 1  # autocomplete's cc-number, cc-exp …
    is_secret = _SECRET.search("".join(words)) or not _SECRET_WORDS.isdisjoint(words)
    return not (of_card or is_secret)


def usual_role(name: str) -> Role:
    """Return what a field of this name gives, as long as nobody says otherwise."""
    if name.lower() == "id":
        return Role.ID
    return Role.EMAIL if is_email_field(name) else Role.ATTRIBUTE


def is_email_field(name: str) -> bool:
    """Say whether a field of this name asks for the email of whoever fills it in."""
    words = [word for word in _words(name) if not word.isdigit()]
    while words and words[-1] in _ADDRESS:
        words.pop()
    return bool(words) and words[-1] in _EMAIL_WORDS and not is_of_another(name)


def is_of_another(name: str) -> bool:
    """Say whether an email in a field of this name is not that of whoever fills it in."""
    return not _NOT_THEIRS.isdisjoint(_words(name))


def with_email(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``data`` whose "email" is a copy of a field that is one by its kind, not its name.

    That field goes, being told by the copy; and the copy goes where it is somebody else's.
    """
    email = data.get("email")
    copied = [name for name, value in data.items() if name != "email" and value == email]
    gone = ["email"] if any(map(is_of_another, copied)) else copied
    return {name: value for name, value in data.items() if name not in gone}


def _words(name: str) -> list[str]:
    """Return ``userEmail``, ``user[email]`` and ``user_e-mail`` all as "user" and "email"."""
    words = [word.lower() for word in _WORD_ENDS.split(name) if word]
    text = " ".join(words)
    return f" {text} ".replace(" e mail", " email").split()
