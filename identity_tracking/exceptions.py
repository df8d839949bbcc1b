"""What can go wrong, each with a stable ``code`` that logs, answers and tests use."""

from __future__ import annotations


class IdentityTrackingError(Exception):
    """Anything this package refuses. ``code`` is stable; the text is for people and may change."""

    code = "error"

    def __init__(self, text: str = "", *, code: str | None = None) -> None:
        super().__init__(text or self.__doc__)
        self.code = code or self.code


class InvalidMessage(IdentityTrackingError):
    """The message cannot be accepted as it is."""

    code = "invalid_message"


class InvalidIdentifier(InvalidMessage):
    """No usable identifier is in the message."""

    code = "invalid_identifier"


class MergeRefused(IdentityTrackingError):
    """These two cannot be merged."""

    code = "merge_refused"


class SuppressionKeyMissing(IdentityTrackingError):
    """Nobody can be erased: the setting SUPPRESSION_KEY is missing."""

    code = "suppression_key_missing"


class Unavailable(IdentityTrackingError):
    """The database cannot be reached or is too busy: nothing was stored, so try again.

    ``retry_after``: in how many seconds.
    """

    code = "unavailable"

    def __init__(self, text: str = "", *, retry_after: int = 5) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class HookFailed(Unavailable):
    """A function of the site's, which a setting names, raised: nothing was stored."""

    code = "hook_failed"
