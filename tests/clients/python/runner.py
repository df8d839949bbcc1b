"""Call a client's methods: ``python -S runner.py CUSTOMERIO SITE KEY``, as runner.mjs does.

In a process of its own, as the package's name is that of Customer.io's other client.
"""

from __future__ import annotations

import inspect
import json
import sys

from customerio.analytics.client import Client

_product, site, key = sys.argv[1:]
client = Client(key, host=f"{site}/people", sync_mode=True, max_retries=0)


def told(method=None, args=(), options=None):
    """Return what became of a call, or the names of all that can be called."""
    if method is None:
        return {"methods": [name for name, _ in inspect.getmembers(Client, inspect.isfunction)]}
    try:
        getattr(client, method)(*args, **(options or {}))
    except Exception as error:  # noqa: BLE001
        return {"error": str(error)}
    return {"settled": True}


for line in sys.stdin:
    sys.stdout.write(json.dumps(told(**json.loads(line))) + "\n")
    sys.stdout.flush()
