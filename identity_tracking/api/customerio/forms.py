"""The endpoint of the Track API that takes a form, filled in: from a server, with its key."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from identity_tracking.api.customerio.views import TrackView, mapping
from identity_tracking.conf import conf
from identity_tracking.exceptions import InvalidMessage
from identity_tracking.identifiers import Names, names
from identity_tracking.models import Entrance, FailedEvent
from identity_tracking.payloads import Json
from identity_tracking.submissions.submission import kept, read
from identity_tracking.submissions.submit import submit


class FormView(TrackView):
    """``POST /api/v1/forms/{form_id}/submit``: ``{"data": {"email": "…", "first_name": "Ada"}}``.

    204 after COMMIT. 400 where no field says who it is, though the form and its fields are listed
    then, to be mapped. A form is listed by its first submission.
    https://docs.customer.io/integrations/api/track/#operation/submitForm
    """

    def post(self, request: Request, form_id: str) -> Response:
        if conf.ENABLED:
            data = mapping(request.data).get("data")
            sender = self.reader.sender
            submission = read(
                form_id,
                data,
                source=sender.source,
                trusted=sender.trusted,
                received_at=self.reader.received_at,
                current=_browser(data),
            )
            submit(submission)
        return Response(status=204)

    def failed(self, error: InvalidMessage) -> FailedEvent:
        data = self.sent().get("data")
        item = kept(self.kwargs["form_id"], data, _browser(data))
        reader = self.reader
        return reader.sender.refused(item, error.code, reader.received_at, Entrance.FORM)

    def sent(self) -> dict[str, Json]:
        try:
            return mapping(self.request.data)
        except InvalidMessage:
            return {}


def _browser(data: Any) -> Names:
    """Return which browser a server says that it was."""
    return names(anonymous_id=data.get("anonymous_id") if isinstance(data, dict) else None)
