"""How many calls are taken: of one address, by anybody's public key, and of one source.

Counted in Django's default cache, where it is shared by all processes if the cache is. A call is
never refused because the cache fails.
"""

from __future__ import annotations

import logging
from ipaddress import IPv4Address, IPv6Address, ip_address
from math import ceil
from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from identity_tracking.api.keys import Sender
from identity_tracking.conf import conf
from identity_tracking.identifiers import digest
from identity_tracking.ingest.context import peer_address

HOST_BITS = 64  # of an IPv6 address: one household or machine has all of them

logger = logging.getLogger(__name__)


class _Throttle(SimpleRateThrottle):
    """Counts the calls of a stretch of time: one number a key, however many they are.

    Stretches of different keys begin at different times, so that not all come again at once.
    """

    setting = ""
    num_requests: int  # of the rate
    duration: int  # seconds, of the rate

    def get_rate(self) -> Any:
        return getattr(conf, self.setting)

    def allow_request(self, request: Request, view: Any) -> bool:
        sender: Sender | None = view.sender
        name = self.counted(request, sender) if sender and self.rate else ""
        return not name or self._is_within(name)

    def counted(self, request: Request, sender: Sender) -> str:
        """Return by what a call is counted; "" where it is not."""
        raise NotImplementedError

    def wait(self) -> float:
        return self.remaining

    def _is_within(self, name: str) -> bool:
        limit, length = self.num_requests, self.duration
        key = digest("throttle", self.setting, name)
        number, elapsed = divmod(self.timer() + key.int % length, length)
        self.remaining = ceil(length - elapsed)
        try:
            return self._count(f"identity_tracking.{key}.{int(number)}", length) <= limit
        except Exception:  # each cache fails in a way of its own
            logger.warning("The cache failed: a call was not counted.", exc_info=True)
            return True

    def _count(self, key: str, length: int) -> int:
        try:
            return self.cache.incr(key)
        except ValueError:  # it is the first
            return 1 if self.cache.add(key, 1, length) else self.cache.incr(key)


class AddressThrottle(_Throttle):
    """Counts public calls by address: a network's where an address is not one host's.

    Only where TRUSTED_PROXIES says how to know it: otherwise all might come from one proxy.
    """

    setting = "THROTTLE_ADDRESS"

    def counted(self, request: Request, sender: Sender) -> str:
        if sender.trusted or conf.TRUSTED_PROXIES is None:
            return ""
        return network_of(peer_address(request.META))


class SourceThrottle(_Throttle):
    """Counts all calls of a source."""

    setting = "THROTTLE_SOURCE"

    def counted(self, request: Request, sender: Sender) -> str:
        return sender.source


def network_of(address: str) -> str:
    """Return an address, of IPv6 without the bits of the host; "" for what is none."""
    try:
        read: IPv4Address | IPv6Address = ip_address(address)
    except ValueError:
        return ""
    if isinstance(read, IPv4Address):
        return str(read)
    if read.ipv4_mapped:
        return str(read.ipv4_mapped)
    return str(IPv6Address(int(read) >> HOST_BITS << HOST_BITS))
