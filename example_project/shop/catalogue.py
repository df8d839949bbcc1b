"""What the shop sells."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, kw_only=True, slots=True)
class Product:
    slug: str
    name: str
    kind: str
    price: Decimal  # euros
    tagline: str
    notes: str
    strength: int  # of 5
    colour: str
    accent: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Course:
    slug: str
    name: str


PRODUCTS = {
    product.slug: product
    for product in [
        Product(
            slug="hello-world",
            name="Hello World",
            kind="House blend, 250 g",
            price=Decimal("8.50"),
            tagline="Everybody’s first, and still the one that works.",
            notes="Hazelnut, milk chocolate, a clean exit.",
            strength=3,
            colour="#b4532a",
            accent="#f6c28b",
        ),
        Product(
            slug="dark-mode",
            name="Dark Mode",
            kind="Dark roast, 250 g",
            price=Decimal("9.20"),
            tagline="Easy on the eyes after sunset.",
            notes="Cocoa, molasses, a little smoke.",
            strength=5,
            colour="#2f2a3d",
            accent="#8f7ee7",
        ),
        Product(
            slug="yirgacheffe",
            name="Yirgacheffe 4.2",
            kind="Single origin, 250 g",
            price=Decimal("12.90"),
            tagline="A long-term support release from Gedeo.",
            notes="Jasmine, bergamot, apricot.",
            strength=2,
            colour="#2e7d6b",
            accent="#f7d774",
        ),
        Product(
            slug="race-condition",
            name="Race Condition",
            kind="Espresso, 250 g",
            price=Decimal("10.40"),
            tagline="Two beans, one cup, no telling which is first.",
            notes="Black cherry, cedar, caramel.",
            strength=4,
            colour="#a3263b",
            accent="#ffd1c9",
        ),
        Product(
            slug="null-pointer",
            name="Null Pointer",
            kind="Decaf, 250 g",
            price=Decimal("9.80"),
            tagline="Points at coffee, dereferences to sleep.",
            notes="Biscuit, red apple, nothing else.",
            strength=1,
            colour="#56708f",
            accent="#dce8f5",
        ),
        Product(
            slug="cold-start",
            name="Cold Start",
            kind="Cold brew, six bottles",
            price=Decimal("18.00"),
            tagline="Twelve hours of warm-up, so that you need none.",
            notes="Cacao nib, plum, ice.",
            strength=4,
            colour="#1f6f9c",
            accent="#b9e4f5",
        ),
        Product(
            slug="moka-monolith",
            name="Moka Monolith",
            kind="Stove-top pot, six cups",
            price=Decimal("34.00"),
            tagline="One piece, one job, never split.",
            notes="Cast aluminium, cork handle.",
            strength=4,
            colour="#6b6257",
            accent="#e8dfd2",
        ),
        Product(
            slug="rubber-duck",
            name="The Rubber Duck",
            kind="Stoneware mug, 350 ml",
            price=Decimal("16.50"),
            tagline="Listens. Holds coffee meanwhile.",
            notes="Glazed in yolk yellow, dishwasher safe.",
            strength=1,
            colour="#d99a1c",
            accent="#fff0c2",
        ),
    ]
}

COURSES = [
    Course(slug="latte-art-101", name="Latte art 101"),
    Course(slug="home-espresso", name="Espresso at home"),
    Course(slug="roasting-basics", name="Roasting basics"),
]
