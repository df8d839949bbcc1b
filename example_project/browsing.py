"""One browser in the demo's week: makes the messages that the script in its pages would send."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from example_project.shop.catalogue import PRODUCTS, Product
from identity_tracking.conf import conf
from identity_tracking.identifiers import Names, names
from identity_tracking.ingest.context import page_context
from identity_tracking.messages import Message, Type, relations

SITE = "http://127.0.0.1:8000"
WEEK = timedelta(days=7)
BY_HOUR = (2, 1, 1, 1, 1, 2, 5, 9, 14, 16, 15, 13, 17, 15, 12, 11, 10, 11, 13, 17, 20, 18, 11, 5)
ENTRANCES: tuple[tuple[str, dict[str, str]], ...] = (  # where visitors come from
    ("", {}),
    ("https://www.google.com/", {}),
    ("https://duckduckgo.com/", {}),
    ("https://www.google.com/", {"utm_source": "google", "utm_medium": "cpc"}),
    ("https://l.instagram.com/", {"utm_source": "instagram", "utm_medium": "social"}),
    ("https://espresso-weekly.example/best-beans", {"ref": "espresso-weekly"}),
    ("", {"utm_source": "letter", "utm_medium": "email", "utm_campaign": "november"}),
)
AGENTS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",  # noqa: E501
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15",  # noqa: E501
    "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1",  # noqa: E501
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",  # noqa: E501
)
PHONES = AGENTS[3:]


class Browser:
    """A browser with its own anonymous id and clock. What it does is kept in ``messages``.

    Everything is drawn from ``key``, but the times: those also depend on ``now``. So the same
    key always makes the same messages, whose ids are stored once.
    """

    def __init__(self, key: str, now: datetime) -> None:
        self.key = key
        self.now = now
        self.at = now
        self.random = Random(key)  # noqa: S311
        self.anonymous_id = str(UUID(int=self.random.getrandbits(128), version=4))
        self.cookie = ""  # whom the browser takes itself for: an id, an email or cio_…
        self.agent = self.random.choice(AGENTS)
        self.ip = f"{self.random.choice((78, 85, 93, 109, 176))}.{self.random.randrange(256)}.0.0"
        self.referrer = ""
        self.messages: list[Message] = []

    def moments(self, count: int) -> list[datetime]:
        """Return ``count`` times in the last week, in order, most of them by day."""
        return sorted(self._moment() for _ in range(count))

    def chance(self, likelihood: float) -> bool:
        return self.random.random() < likelihood

    def arrive(
        self, at: datetime, path: str = "/", title: str = "Coffee for people who ship"
    ) -> None:
        """Begin a visit: the first page, with where it was come from."""
        self.at = at
        self.referrer, parameters = self.random.choice(ENTRANCES)
        self.page(path + (f"?{urlencode(parameters)}" if parameters else ""), title)

    def look(self, pages: int) -> None:
        """Look at some products, and now and then put one into the cart."""
        for product in self.random.sample(list(PRODUCTS.values()), k=pages):
            self.see(product)
            if self.chance(0.3):
                self.add_to_cart(product)

    def see(self, product: Product) -> None:
        self.page(f"/products/{product.slug}/", product.name)

    def add_to_cart(self, product: Product) -> None:
        price = float(product.price)
        self.track("added_to_cart", {"sku": product.slug, "name": product.name, "price": price})
        self.page("/cart/", "Your cart")

    def page(self, path: str, title: str) -> None:
        url = SITE + path
        context = page_context(url=url, title=f"{title} – Beans & Bytes", referrer=self.referrer)
        self.referrer = url
        name = path.partition("?")[0]
        self._send(Type.PAGE, self.who(), name=name, context={"page": context})

    def track(self, name: str, properties: Mapping[str, Any] | None = None) -> None:
        self._send(Type.TRACK, self.who(), name=name, properties=properties or {})

    def identify(
        self, *, id: str = "", email: str = "", proven: bool = False, **traits: Any
    ) -> None:
        """Say who this is. ``proven``: a session proves the id, as Django's login does."""
        changes = relations(traits.pop("cio_relationships", None))
        self.cookie = id or email
        called = names(id=id, email=email, anonymous_id=self.anonymous_id)
        self._send(Type.IDENTIFY, called, properties=traits, relations=changes, trusted=proven)

    def follow_link(self, cio_id: str, head: Names, *, elsewhere: bool = False) -> None:
        """Open a personal link. ``elsewhere``: this browser is another person's, and stays it."""
        if not elsewhere:
            self.cookie = f"cio_{cio_id}"
        context = {"page": page_context(url=f"{SITE}/products/cold-start/", title="Cold Start")}
        self._send(Type.LINK, head, properties={"cio_id": cio_id}, context=context)

    def who(self) -> Names:
        return names(id=self.cookie, anonymous_id=self.anonymous_id)

    def _send(self, type: Type, called: Names, **given: Any) -> None:
        self.at = min(self.at + timedelta(seconds=self.random.randint(6, 110)), self.now)
        context = {**given.pop("context", {}), "ip": self.ip, "user_agent": self.agent}
        self.messages.append(
            Message(
                type=type,
                names=called,
                source=conf.SITE_ID,
                message_id=f"demo-{self.key.replace(' ', '-')}-{len(self.messages)}",
                timestamp=self.at,
                received_at=min(
                    self.at + timedelta(milliseconds=self.random.randint(90, 900)), self.now
                ),
                context=context,
                **given,
            )
        )

    def _moment(self) -> datetime:
        """Draw a time, as often from the random numbers whatever time it is now."""
        midnight = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        day = timedelta(days=self.random.randrange(7))
        hour = self.random.choices(range(24), BY_HOUR)[0]
        drawn = midnight - day + timedelta(hours=hour, seconds=self.random.randrange(3600))
        drawn = drawn.replace(microsecond=self.random.randrange(1_000_000))
        return drawn if drawn < self.now - timedelta(minutes=40) else drawn - WEEK
