"""What is kept. Models and their queries; no rule about identity is decided here."""

from __future__ import annotations

from identity_tracking.models.activity import Activity
from identity_tracking.models.conflict import Conflict
from identity_tracking.models.deed import Deed
from identity_tracking.models.failed_event import Entrance, FailedEvent
from identity_tracking.models.form import Form, FormDay, FormField
from identity_tracking.models.identifier import Claim, Identifier, Ownership
from identity_tracking.models.operation import MergeOperation
from identity_tracking.models.person import Person
from identity_tracking.models.relationship import ObjectRelationship, TrackedObject
from identity_tracking.models.source import SecretKey, Source
from identity_tracking.models.suppression import Suppression

__all__ = [
    "Activity",
    "Claim",
    "Conflict",
    "Deed",
    "Entrance",
    "FailedEvent",
    "Form",
    "FormDay",
    "FormField",
    "Identifier",
    "MergeOperation",
    "ObjectRelationship",
    "Ownership",
    "Person",
    "SecretKey",
    "Source",
    "Suppression",
    "TrackedObject",
]
