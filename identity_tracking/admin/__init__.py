"""People, their history and what went wrong, in the site's own admin. Nothing is edited."""

from __future__ import annotations

from django.contrib import admin

from identity_tracking.admin.activities import ActivityAdmin
from identity_tracking.admin.conflicts import ConflictAdmin
from identity_tracking.admin.failed_events import FailedEventAdmin
from identity_tracking.admin.objects import TrackedObjectAdmin
from identity_tracking.admin.people import PersonAdmin
from identity_tracking.admin.visitors import VisitorAdmin
from identity_tracking.models import (
    Activity,
    Conflict,
    FailedEvent,
    Identifier,
    Person,
    TrackedObject,
)

admin.site.register(Person, PersonAdmin)
admin.site.register(Identifier, VisitorAdmin)
admin.site.register(Activity, ActivityAdmin)
admin.site.register(TrackedObject, TrackedObjectAdmin)
admin.site.register(Conflict, ConflictAdmin)
admin.site.register(FailedEvent, FailedEventAdmin)
