"""Be one of a crowd: ``CROWD_DATABASE=name python -m tests.crowd PLAN NUMBER``, a plan as JSON."""

from __future__ import annotations

import json
import os
import sys

import django

django.setup()

from django.db import connection  # noqa: E402

from tests.crowd.member import Member  # noqa: E402
from tests.crowd.words import Plan  # noqa: E402

plan, number = sys.argv[1:]
connection.settings_dict["NAME"] = os.environ["CROWD_DATABASE"]
Member(Plan(**json.loads(plan)), int(number)).run()
