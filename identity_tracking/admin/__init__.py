"""People, their history and what went wrong, in the site's own admin.

Nothing is edited but sources and what forms give; what staff may do, merge or void, can be
undone, but for a deletion.
"""

from __future__ import annotations

from django.contrib import admin

from identity_tracking.admin.activities import ActivityAdmin
from identity_tracking.admin.conflicts import ConflictAdmin
from identity_tracking.admin.failed_events import FailedEventAdmin
from identity_tracking.admin.forms import FormAdmin
from identity_tracking.admin.merges import MergeAdmin
from identity_tracking.admin.objects import TrackedObjectAdmin
from identity_tracking.admin.people import PersonAdmin
from identity_tracking.admin.sources import SourceAdmin
from identity_tracking.admin.visitors import VisitorAdmin
from identity_tracking.models import (
    Activity,
    Conflict,
    FailedEvent,
    Form,
    Identifier,
    MergeOperation,
    Person,
    Source,
    TrackedObject,
)

admin.site.register(Person, PersonAdmin)
admin.site.register(Identifier, VisitorAdmin)
admin.site.register(MergeOperation, MergeAdmin)
admin.site.register(Activity, ActivityAdmin)
admin.site.register(TrackedObject, TrackedObjectAdmin)
admin.site.register(Conflict, ConflictAdmin)
admin.site.register(FailedEvent, FailedEventAdmin)
admin.site.register(Form, FormAdmin)
admin.site.register(Source, SourceAdmin)
