"""A week in the shop, as messages: passers-by, readers, customers, and what goes wrong with names.

What browsers do becomes untrusted messages, as the script's would be; what the site itself knows
becomes calls of the public Python API. Every message has a fixed id: telling it twice adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from example_project.browsing import PHONES, Browser
from example_project.cast import (
    GRACE,
    HENRIK,
    MAYA,
    PRINCIPALS,
    SAM,
    SAM_AGAIN,
    TOLD,
    Customer,
    customer,
)
from example_project.shop.catalogue import COURSES, PRODUCTS, Course
from identity_tracking import identify, relate, track
from identity_tracking.identifiers import Kind, Names, Ref
from identity_tracking.messages import Message
from identity_tracking.models import Person

PASSERS_BY = 8  # for each customer
CLUB = {"identifiers": {"object_type_id": "club", "object_id": "tasting"}}

Call = Callable[[], Any]


class Week:
    """What happens in the week that ends ``now``. ``ids``: the customers' ids, by username."""

    def __init__(self, now: datetime, ids: Mapping[str, str]) -> None:
        self.now = now
        self.ids = ids
        self.browsers: list[Browser] = []
        self.calls: list[tuple[datetime, Call]] = []
        self.joined: dict[Customer, datetime] = {}  # who signed up this week, and when

    @property
    def messages(self) -> list[Message]:
        """All that the browsers sent, in the order of time."""
        sent = [message for browser in self.browsers for message in browser.messages]
        return sorted(sent, key=lambda message: message.order)

    def browser(self, key: str, *, phone: bool = False) -> Browser:
        browser = Browser(key, self.now)
        if phone:
            browser.agent = browser.random.choice(PHONES)
        self.browsers.append(browser)
        return browser

    def call(
        self, who: Customer, function: Callable[..., Any], *args: Any, key: str, **given: Any
    ) -> None:
        """Plan a call of the public API, about a customer, at ``given["timestamp"]``."""
        given["timestamp"] = at = min(given["timestamp"], self.now)
        given["message_id"] = f"demo-{who.username}-{function.__name__}-{key}"
        self.calls.append((at, partial(function, None, *args, id=self.ids[who.username], **given)))

    def log_in(self, who: Customer, browser: Browser) -> None:
        """Identify as Django's login does: the session proves the id, and not the email."""
        joined = who.joined_at(self.now) if who.days else self.joined.setdefault(who, browser.at)
        browser.identify(
            id=self.ids[who.username],
            email=who.email,
            proven=True,
            first_name=who.first_name,
            last_name=who.last_name,
            created_at=int(joined.timestamp()),
        )

    def sign_up(self, who: Customer, browser: Browser) -> None:
        browser.page("/sign-up/", "Sign up")
        self.log_in(who, browser)
        browser.track("signed_up")
        browser.page("/account/", "Your account")
        at = browser.at + timedelta(minutes=7)
        known = {"city": who.city, "email_confirmed": True}
        self.call(who, identify, key="confirmed", email=who.email, timestamp=at, **known)

    def order(self, who: Customer, browser: Browser) -> None:
        products = browser.random.sample(list(PRODUCTS.values()), k=browser.random.randint(1, 3))
        for product in products:
            browser.see(product)
            browser.add_to_cart(product)
        browser.page("/checkout/", "Check out")
        number = f"BB-{browser.random.getrandbits(24):06X}"
        total = float(sum(product.price for product in products))
        items = [{"sku": product.slug, "quantity": 1} for product in products]
        at = browser.at + timedelta(seconds=45)
        placed = {"number": number, "total": total, "items": items}
        self.call(who, track, "order_placed", placed, key=f"placed-{number}", timestamp=at)
        self.call(who, relate, "order", number, key=number, total=total, timestamp=at)
        browser.at = at
        browser.page(f"/orders/{number}/", "Thank you")
        if at + timedelta(hours=20) < self.now:
            shipped = {"number": number, "carrier": browser.random.choice(("DHL", "PostNord"))}
            then = at + timedelta(hours=20)
            key = f"shipped-{number}"
            self.call(who, track, "order_shipped", shipped, key=key, timestamp=then)
        if who.company:
            self.call(
                who, relate, "company", who.company, key="company", role="buyer", timestamp=at
            )

    def take_course(self, who: Customer, course: Course, at: datetime) -> None:
        key = f"course-{course.slug}"
        self.call(who, relate, "course", course.slug, key=key, name=course.name, timestamp=at)


def tell(now: datetime, ids: Mapping[str, str], people: int) -> Week:
    """Tell the week of ``people`` people, of the principals and of many who only pass by.

    Of many people it tells of the first TOLD; the others are a ``crowd``.
    """
    week = Week(now, ids)
    people = min(people, TOLD)
    for index in range(people * PASSERS_BY):
        pass_by(week.browser(f"passer-by {index}"))
    for index in range(people):
        STORIES[customer(index).kind](week, customer(index))
    do_it_all(week)
    share_a_tablet(week)
    open_two_accounts(week)
    return week


def customers(people: int) -> Iterator[Customer]:
    """Return those among ``people`` that get an account, and the principals."""
    yield from PRINCIPALS
    everybody = map(customer, range(people))
    yield from (somebody for somebody in everybody if somebody.days is not None)


def letters(week: Week, people: int) -> list[Message]:
    """Tell who opened the personal link of the newsletter: on a new phone, or on another's."""
    everybody = map(customer, range(min(people, TOLD)))
    readers = [one for one in everybody if one.kind == "reads"]
    opened = [open_letter(week, reader) for reader in (MAYA, *readers[::3])]
    forwarded = [open_forwarded(week, reader) for reader in readers[:1]]
    sent = [message for browser in (*opened, *forwarded) if browser for message in browser.messages]
    return sorted(sent, key=lambda message: message.order)


def pass_by(browser: Browser) -> None:
    moments = browser.moments(2 if browser.chance(0.2) else 1)
    if browser.chance(0.02):
        moments[-1] = browser.now - timedelta(minutes=browser.random.randint(2, 30))
    for moment in moments:
        browser.arrive(moment)
        browser.look(browser.random.choice((0, 0, 1, 1, 2, 3, 5)))


def sign_up(week: Week, who: Customer) -> None:
    browser = week.browser(f"{who.username} laptop")
    *before, first, later = browser.moments(browser.random.randint(3, 5))
    for moment in before:
        browser.arrive(moment)
        browser.look(browser.random.randint(1, 5))
    browser.arrive(first)
    browser.look(2)
    week.sign_up(who, browser)
    week.order(who, browser)
    browser.arrive(later)
    browser.look(3)


def log_in(week: Week, who: Customer) -> None:
    """Use two devices, and take a course."""
    laptop = week.browser(f"{who.username} laptop")
    phone = week.browser(f"{who.username} phone", phone=True)
    moments = laptop.moments(5)
    for moment, browser in zip(moments, (phone, laptop, phone, laptop, laptop), strict=True):
        browser.arrive(moment)
        browser.look(browser.random.randint(1, 4))
        if not browser.cookie:
            browser.page("/login/", "Log in")
            week.log_in(who, browser)
    week.order(who, laptop)
    week.take_course(who, laptop.random.choice(COURSES), laptop.at)
    known = {"city": who.city, "plan": laptop.random.choice(("free", "pro"))}
    week.call(who, identify, key="known", email=who.email, timestamp=moments[0], **known)


def read(week: Week, who: Customer) -> Browser:
    """Give an email address for the newsletter, which nobody has proven."""
    browser = week.browser(f"{who.username} laptop")
    first, second = browser.moments(2)
    browser.arrive(first)
    browser.look(browser.random.randint(1, 4))
    browser.identify(email=who.email, newsletter=True)
    browser.track("newsletter_joined")
    browser.arrive(second)
    browser.look(browser.random.randint(0, 3))
    return browser


def read_and_sign_up(week: Week, who: Customer) -> None:
    browser = read(week, who)
    browser.look(2)
    week.sign_up(who, browser)
    week.order(who, browser)


def join_the_club(week: Week, who: Customer) -> None:
    """Identify on a page, by its own script, with a relationship."""
    browser = week.browser(f"{who.username} phone", phone=True)
    first, second = browser.moments(2)
    browser.arrive(first)
    browser.look(2)
    _join(browser, who)
    browser.arrive(second, "/club/", "Tasting club")


def do_it_all(week: Week) -> None:
    """Be anonymous, a reader, a member, a customer and a company's buyer, on three devices."""
    phone = week.browser("maya phone", phone=True)
    laptop = week.browser("maya laptop")
    one, two, three, four, five = phone.moments(5)
    phone.arrive(one)
    phone.look(4)
    phone.identify(email=MAYA.email, newsletter=True)
    phone.track("newsletter_joined")
    phone.arrive(two)
    _join(phone, MAYA)
    laptop.arrive(three)
    laptop.look(5)
    laptop.arrive(four)
    week.sign_up(MAYA, laptop)
    week.order(MAYA, laptop)
    laptop.arrive(five)
    laptop.look(3)
    week.order(MAYA, laptop)
    week.take_course(MAYA, COURSES[0], five)
    office = week.browser("maya office")
    office.arrive(week.now - timedelta(minutes=21))
    office.see(PRODUCTS["yirgacheffe"])
    office.add_to_cart(PRODUCTS["yirgacheffe"])
    office.page("/login/", "Log in")
    week.log_in(MAYA, office)
    office.page("/account/", "Your account")
    office.see(PRODUCTS["rubber-duck"])


def share_a_tablet(week: Week) -> None:
    """Log in as two people on one browser: what was done between them is nobody's."""
    tablet = week.browser("kitchen tablet", phone=True)
    before, first, between, second = tablet.moments(4)
    tablet.arrive(before)
    tablet.look(2)
    tablet.arrive(first)
    week.log_in(GRACE, tablet)
    tablet.look(3)
    tablet.cookie = ""  # somebody cleared it, and no logout was seen
    tablet.arrive(between)
    tablet.look(2)
    tablet.arrive(second)
    week.log_in(HENRIK, tablet)
    tablet.anonymous_id = str(UUID(int=tablet.random.getrandbits(128), version=4))
    tablet.look(2)


def open_two_accounts(week: Week) -> None:
    """Sign up twice with one email: two people, and a conflict for somebody to look at."""
    for who in (SAM, SAM_AGAIN):
        browser = week.browser(f"{who.username} laptop")
        browser.arrive(browser.moments(1)[0])
        week.log_in(who, browser)
        browser.look(3)
        week.order(who, browser)


def open_letter(week: Week, who: Customer) -> Browser | None:
    """Open one's own link on a phone that was never seen before."""
    person = Person.objects.find(email=who.email)
    if person is None:
        return None
    phone = Browser(f"{who.username} letter", week.now)
    phone.at = phone.moments(1)[0]
    visitor = Ref(Kind.ANONYMOUS_ID, phone.anonymous_id)
    phone.follow_link(person.cio_id, Names.of(person.anchor.ref, anonymous_id=visitor))
    phone.page("/products/cold-start/", "Cold Start")
    phone.look(2)
    return phone


def open_forwarded(week: Week, who: Customer) -> Browser | None:
    """Open another's link: that browser stays whose it is."""
    person = Person.objects.find(email=who.email)
    if person is None:
        return None
    browser = Browser("forwarded letter", week.now)
    browser.at = browser.moments(1)[0]
    week.log_in(GRACE, browser)
    own = Ref(Kind.ID, week.ids[GRACE.username])
    browser.follow_link(person.cio_id, Names.of(own, refused=("link",)), elsewhere=True)
    browser.look(1)
    return browser


def _join(browser: Browser, who: Customer) -> None:
    browser.page("/club/", "Tasting club")
    browser.identify(
        email=who.email,
        favourite_roast=browser.random.choice(("light", "medium", "dark")),
        brews_with=browser.random.sample(("espresso", "filter", "moka"), k=2),
        cio_relationships={"action": "add_relationships", "relationships": [CLUB]},
    )
    browser.track("club_joined")


STORIES: Mapping[str, Callable[[Week, Customer], Any]] = {
    "signs up": sign_up,
    "logs in": log_in,
    "reads": read,
    "reads, then signs up": read_and_sign_up,
    "joins the club": join_the_club,
}
