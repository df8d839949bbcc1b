"""Who comes to the shop in the demo's week: people that do not exist, always the same ones."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from django.utils.text import slugify

FIRST_NAMES = (  # noqa: SIM905
    "Amara Bruno Chiara Dmitri Elif Farah Gustav Hana Imani Jonas Keiko Leo Marisol Nils Oona "
    "Priya Quentin Rosa Sven Tomasz Uma Viktor Wanjiru Xavier Yusuf Zoë Anouk Bao Carmen Davi "
    "Esther Finn"
).split()
LAST_NAMES = (  # noqa: SIM905
    "Adeyemi Bianchi Castro Dubois Eriksen Fischer García Hughes Ito Jansen Kowalski Larsen "
    "Moreau Nakamura Osei Petrov Quinn Rossi Silva Tanaka Ueda Varga Weber Yilmaz Zhou Alvarez "
    "Brandt"
).split()
CITIES = ("Lisbon", "Hamburg", "Kraków", "Turin", "Ghent", "Malmö", "Porto", "Leeds", "Utrecht")
HOSTS = ("example.com", "example.org", "example.net")
COMPANIES = ("analytical-engines", "northwind", "initech", "compiler-cafe")
KINDS = (  # of ten people
    *("signs up", "signs up", "signs up", "logs in", "logs in"),
    *("reads", "reads", "reads", "reads, then signs up", "joins the club"),
)
COMING_ONCE = ("drops in", "drops in", "drops in", "leaves an email", "leaves an email")
TOLD = 500  # people whose week is told in full; whoever else is asked for comes once


@dataclass(frozen=True, kw_only=True, slots=True)
class Customer:
    """Somebody with a name. ``days``: how old the account is; None without one, 0 for a new one."""

    username: str
    first_name: str
    last_name: str
    email: str
    city: str
    kind: str
    days: int | None = None
    company: str | None = None

    def joined_at(self, now: datetime) -> datetime:
        return now - timedelta(days=self.days or 0)


MAYA = Customer(
    username="maya",
    first_name="Maya",
    last_name="Lindqvist",
    email="maya.lindqvist@example.com",
    city="Malmö",
    kind="does it all",
    days=0,
    company="compiler-cafe",
)
GRACE = Customer(
    username="grace",
    first_name="Grace",
    last_name="Okafor",
    email="grace.okafor@example.com",
    city="Leeds",
    kind="shares a tablet",
    days=210,
)
HENRIK = Customer(
    username="henrik",
    first_name="Henrik",
    last_name="Okafor",
    email="henrik.okafor@example.com",
    city="Leeds",
    kind="shares a tablet",
    days=95,
)
SAM = Customer(
    username="sam",
    first_name="Sam",
    last_name="Rivera",
    email="sam.rivera@example.com",
    city="Porto",
    kind="has two accounts",
    days=400,
)
SAM_AGAIN = Customer(
    username="sam-office",
    first_name="Sam",
    last_name="Rivera",
    email=SAM.email,
    city="Porto",
    kind="has two accounts",
    days=20,
    company="initech",
)
PRINCIPALS = (MAYA, GRACE, HENRIK, SAM, SAM_AGAIN)


def customer(index: int) -> Customer:
    """Return the ``index``-th of the others: the same one whoever asks, and when."""
    random = Random(f"customer {index}")  # noqa: S311
    first = FIRST_NAMES[index % len(FIRST_NAMES)]
    last = LAST_NAMES[index * 11 % len(LAST_NAMES)]
    again = index // (len(FIRST_NAMES) * len(LAST_NAMES)) or ""
    username = f"{slugify(first)}.{slugify(last)}{again}"
    kind = KINDS[index % len(KINDS)] if index < TOLD else COMING_ONCE[index % len(COMING_ONCE)]
    days = random.randint(9, 700)
    known_for = {"signs up": 0, "reads, then signs up": 0, "logs in": days, "drops in": days}
    return Customer(
        username=username,
        first_name=first,
        last_name=last,
        email=f"{username}@{random.choice(HOSTS)}",
        city=random.choice(CITIES),
        kind=kind,
        days=known_for.get(kind),
        company=random.choice((*COMPANIES, *[None] * 8)),
    )
