"""Who was erased is mentioned elsewhere, too: failed events, objects, links, reasons, the log."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import quote

from django.apps import apps
from django.db import models, router
from django.db.models import Exists, OuterRef

from identity_tracking.identifiers import Kind
from identity_tracking.identity.deletion import Deleted
from identity_tracking.identity.objects import forget as forget_writes
from identity_tracking.models import (
    Activity,
    Claim,
    Conflict,
    FailedEvent,
    MergeOperation,
    ObjectRelationship,
    TrackedObject,
)
from identity_tracking.models.conflict import Code
from identity_tracking.models.removal import remove
from identity_tracking.privacy.suppression import cio_id_key, keys_in

UNMISTAKABLE = 8  # characters: a shorter id may be part of any other text
NOTHING = "(?!)"  # a pattern that no text matches


def forget(deleted: Deleted, using: str) -> None:
    """Take who was ``deleted`` out of all that mentions them, in the transaction at hand.

    Failed events that name them go; of the rest only the mention does. Emails, and what has at
    least 8 characters, are found wherever they stand; shorter ids only where they name somebody.
    Reads failed events, objects, reasons and the app's part of the admin's log as a whole.
    """
    mention = _mention(deleted)
    _forget_failed(deleted, mention, using)
    _forget_links(deleted, using)
    _clear(MergeOperation.objects.using(using).exclude(reason=""), mention, "reason")
    _clear(Claim.objects.using(using).exclude(voided_for=""), mention, "voided_for")
    _clear(Conflict.objects.using(using).exclude(note=""), mention, "note")
    _forget_objects(deleted, mention, using)
    if apps.is_installed("django.contrib.admin"):
        _forget_log(deleted, mention)


def _mention(deleted: Deleted) -> re.Pattern[str]:
    """Return what finds their names in any text: as they are, in JSON and in URLs."""
    said = {one.value for one in deleted.identifiers if one.kind == Kind.EMAIL}
    said |= {one.value for one in deleted.identifiers if len(one.value) >= UNMISTAKABLE}
    written = {way for one in said for way in (one, json.dumps(one)[1:-1], quote(one, safe=""))}
    spellings = map(re.escape, sorted(written | {*deleted.cio_ids}))
    return re.compile("|".join(spellings) or NOTHING, re.IGNORECASE)


def _forget_failed(deleted: Deleted, mention: re.Pattern[str], using: str) -> None:
    keys = deleted.keys | {cio_id_key(one) for one in deleted.cio_ids}
    failed = FailedEvent.objects.using(using)
    gone = [
        event.pk
        for event in failed.only("payload").iterator()
        if mention.search(event.payload) or keys & keys_in(event)
    ]
    remove(failed.filter(pk__in=gone))


def _forget_links(deleted: Deleted, using: str) -> None:
    """Forget whose link it was that somebody else opened."""
    opened = Activity.objects.using(using).filter(
        conflicts__code=Code.LINK_ELSEWHERE, properties__cio_id__in=deleted.cio_ids
    )
    for activity in opened.only("properties"):
        kept = {name: value for name, value in activity.properties.items() if name != "cio_id"}
        Activity.objects.using(using).filter(pk=activity.pk).update(properties=kept)


def _forget_objects(deleted: Deleted, mention: re.Pattern[str], using: str) -> None:
    """Drop from what is said of objects the values that mention them; and objects called so.

    An object that is called as they were stays while others relate to it.
    """
    objects = TrackedObject.objects.using(using)
    held = ObjectRelationship.objects.using(using).filter(object=OuterRef("pk"))
    called = [one.value for one in deleted.identifiers if mention.fullmatch(one.value)]
    remove(objects.filter(~Exists(held), object_id__in=called))
    described = objects.filter(registers__isnull=False).only("registers")
    found = [one.pk for one in described.iterator() if mention.search(json.dumps(one.registers))]
    forget_writes(found, mention.search, using)


def _forget_log(deleted: Deleted, mention: re.Pattern[str]) -> None:
    """Keep in the admin's log that something was done, and by whom, but not to whom."""
    log: Any = apps.get_model("admin", "LogEntry")
    entries = log.objects.using(router.db_for_write(log)).filter(
        content_type__app_label="identity_tracking"
    )
    own = entries.filter(object_id__in=[str(key) for key in deleted.keys])
    own.update(object_id=None, object_repr="", change_message="")
    _clear(entries, mention, "object_repr", "change_message")


def _clear(rows: models.QuerySet[Any], mention: re.Pattern[str], *fields: str) -> None:
    """Empty the ``fields`` of those rows that mention them."""
    found = [
        key
        for key, *texts in rows.values_list("pk", *fields).iterator()
        if any(map(mention.search, texts))
    ]
    rows.model._default_manager.using(rows.db).filter(pk__in=found).update(
        **dict.fromkeys(fields, "")
    )
