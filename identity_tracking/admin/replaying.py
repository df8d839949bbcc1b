"""Try failed events again from the admin; tell what became of them, and what to do next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from identity_tracking.admin.confirming import log, refusal
from identity_tracking.admin.values import plain
from identity_tracking.api.replay import NAMELESS, Replay, replay
from identity_tracking.exceptions import Unavailable
from identity_tracking.ingest.process import TOO_MANY
from identity_tracking.models import FailedEvent

OUTCOMES: Mapping[Replay, str | Promise] = {
    Replay.ACCEPTED: _("stored"),
    Replay.SUPPRESSED: _("deleted, as of somebody who was erased"),
    Replay.REFUSED: _("refused again"),
    Replay.IMPOSSIBLE: _("not kept whole, so not to be tried again"),
    Replay.OFF: _("left alone, as the app is switched off"),
}

_NOBODY = _(
    "It names nobody in a way that can be used. Look at the id, email or anonymous id that is sent."
)
_SHAPE = _("What it holds cannot be kept as it is. Mend the page or the code that sends it.")
_TIME = _("Its time cannot be read. Look at the clock, or the unit, of what sends it.")

WHAT_TO_DO: Mapping[str, str | Promise] = {
    **dict.fromkeys(("no_identifier", "too_long", "unprintable"), _NOBODY),
    "name_missing": _("It is an event without a name: give track() one."),
    "invalid_timestamp": _TIME,
    NAMELESS: _("Nobody has the cio_id that it named; for whom it was is not kept."),
    TOO_MANY: _("The object has 300 attributes. Remove some that nobody needs, and send it again."),
    "unknown_type": _("This version does not know its type. Try again after an update."),
}


def what_to_do(failed: FailedEvent) -> str | Promise:
    """Return what staff can do next about a failed event."""
    if failed.trusted and not failed.entrance and failed.code not in {NAMELESS, TOO_MANY}:
        return _("Your own code sent it, and whom it was about is not kept: mend the call.")
    return WHAT_TO_DO.get(failed.code, _SHAPE)


def try_again(request: HttpRequest, events: Iterable[FailedEvent]) -> None:
    """Process ``events`` again, each on its own, and tell; stops where the database is busy."""
    outcomes: Counter[Replay] = Counter()
    codes: Counter[str] = Counter()
    trouble = None
    for event in events:
        try:
            outcome = replay(event)
        except Unavailable as error:
            trouble = error
            break
        outcomes[outcome] += 1
        codes.update([event.code] if outcome is Replay.REFUSED else [])
    if outcomes:
        _tell(request, outcomes, codes)
    if trouble:
        messages.error(request, refusal(trouble))


def _tell(request: HttpRequest, outcomes: Counter[Replay], codes: Counter[str]) -> None:
    told = ", ".join(f"{OUTCOMES[one]}: {outcomes[one]}" for one in Replay if outcomes[one])
    why = ", ".join(f"{plain(code)} {count}" for code, count in codes.most_common())
    done = f"{told} ({why})" if why else told
    log(request, FailedEvent, str(_("Tried again: %s") % told))
    level: Any = (
        messages.WARNING
        if codes or outcomes[Replay.IMPOSSIBLE] + outcomes[Replay.OFF]
        else messages.SUCCESS
    )
    messages.add_message(request, level, str(_("Tried again: %s") % done))
