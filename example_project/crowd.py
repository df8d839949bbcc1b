"""The many of a large demo, who come to the shop once: each on one browser, for a page or a few."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from example_project.browsing import Browser
from example_project.cast import Customer, customer
from example_project.week import Week


def crowd(now: datetime, ids: Mapping[str, str], indexes: Iterable[int]) -> list[Browser]:
    """Return the browsers of people who come once, and of as many who only look in."""
    week = Week(now, ids)
    for index in indexes:
        drop_in(week, customer(index))
        look_in(week.browser(f"passer-by once {index}"))
    return week.browsers


def look_in(browser: Browser) -> None:
    browser.arrive(browser.moments(1)[0])


def drop_in(week: Week, who: Customer) -> None:
    """Come once: log in, or leave an email for the newsletter, and look at something."""
    browser = week.browser(f"{who.username} laptop")
    browser.arrive(browser.moments(1)[0])
    if who.days:
        week.log_in(who, browser)
    else:
        browser.identify(email=who.email, newsletter=True)
    browser.look(browser.random.choice((0, 1, 1, 2)))
