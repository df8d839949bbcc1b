"""Be one of a crowd: ``CROWD_DATABASE=name python -m tests.crowd PLAN NUMBER``, a plan as JSON."""

from __future__ import annotations

import json
import os
import sys

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.db import connection  # noqa: E402

from tests.crowd.member import Member  # noqa: E402
from tests.crowd.words import Plan  # noqa: E402

plan, number = sys.argv[1:]
if int(number) % 2:  # nothing that it says is late: what changes nobody's identity locks nothing
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "LAST_SEEN_EVERY": 10**9}
connection.settings_dict["NAME"] = os.environ["CROWD_DATABASE"]
Member(Plan(**json.loads(plan)), int(number)).run()
