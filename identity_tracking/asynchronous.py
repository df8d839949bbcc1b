"""The Python API for async views: ``await aidentify(request, …)`` and so on.

Each takes, does and returns what the call of its name without the ``a`` does, in the thread
that Django keeps for synchronous code. That thread's transactions are its own: an ``atomic``
around an async call does not hold it. ``reset`` needs none: it asks the database nothing.
"""

from __future__ import annotations

from asgiref.sync import sync_to_async

from identity_tracking import shortcuts

aidentify = sync_to_async(shortcuts.identify)
atrack = sync_to_async(shortcuts.track)
apage = sync_to_async(shortcuts.page)
arelate = sync_to_async(shortcuts.relate)
aunrelate = sync_to_async(shortcuts.unrelate)
agroup = sync_to_async(shortcuts.group)
aalias = sync_to_async(shortcuts.alias)
