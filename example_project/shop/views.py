"""The shop's pages, and what each tells identity_tracking. A login needs no line here."""

from __future__ import annotations

import secrets
from typing import Any

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from example_project.shop.cart import Cart
from example_project.shop.catalogue import PRODUCTS, Product
from example_project.shop.forms import CheckoutForm, NewsletterForm, SignUpForm
from identity_tracking import identify, relate, track

ORDERS = "orders"  # numbers of this session's orders: nobody else may open their pages
RECENT = 8  # activities on the account page


def home(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/home.html", {"products": PRODUCTS.values()})


def product(request: HttpRequest, slug: str) -> HttpResponse:
    return render(request, "shop/product.html", {"product": _product(slug)})


@require_POST
def add_to_cart(request: HttpRequest, slug: str) -> HttpResponse:
    product = _product(slug)
    Cart(request.session).add(product)
    track(request, "added_to_cart", {"sku": slug, "name": product.name, "price": product.price})
    messages.success(request, f"{product.name} is in your cart.")
    return redirect("cart")


@require_POST
def remove_from_cart(request: HttpRequest, slug: str) -> HttpResponse:
    Cart(request.session).remove(_product(slug))
    track(request, "removed_from_cart", {"sku": slug})
    return redirect("cart")


def cart(request: HttpRequest) -> HttpResponse:
    return render(request, "shop/cart.html")


def checkout(request: HttpRequest) -> HttpResponse:
    cart = Cart(request.session)
    if not cart:
        return redirect("cart")
    form = CheckoutForm(request.POST or None, initial={"email": getattr(request.user, "email", "")})
    if not form.is_valid():
        return render(request, "shop/checkout.html", {"form": form})
    number = _place_order(request, cart, form.cleaned_data)
    request.session[ORDERS] = [*request.session.get(ORDERS, []), number]
    cart.clear()
    return redirect("order", number)


def order(request: HttpRequest, number: str) -> HttpResponse:
    if number not in request.session.get(ORDERS, []):
        raise Http404("This session has no such order.")
    return render(request, "shop/order.html", {"number": number})


@require_POST
def newsletter(request: HttpRequest) -> HttpResponse:
    form = NewsletterForm(request.POST)
    if form.is_valid():
        # Somebody typed this address; nobody has proven that it is theirs.
        identify(request, email=form.cleaned_data["email"], newsletter=True, trusted=False)
        track(request, "newsletter_joined")
        messages.success(request, "Thank you. The next letter is yours.")
    else:
        messages.error(request, "That is no email address.")
    return redirect("home")


def club(request: HttpRequest) -> HttpResponse:
    """Show the tasting club, whose page identifies by ``_cio.identify``, in the browser alone."""
    return render(request, "shop/club.html")


@login_required
def account(request: HttpRequest) -> HttpResponse:
    person = request.visitor.person  # type: ignore[attr-defined]  # the middleware sets it
    recent = person.activities[:RECENT] if person else []
    return render(
        request,
        "shop/account.html",
        {"person": person, "recent": recent, "home": request.build_absolute_uri("/")},
    )


def sign_up(request: HttpRequest) -> HttpResponse:
    form = SignUpForm(request.POST or None)
    if not form.is_valid():
        return render(request, "shop/sign_up.html", {"form": form})
    login(request, form.save())  # identifies: what this browser did is now this person's
    track(request, "signed_up")
    return redirect("account")


def _product(slug: str) -> Product:
    if slug not in PRODUCTS:
        raise Http404("The shop has no such product.")
    return PRODUCTS[slug]


def _place_order(request: HttpRequest, cart: Cart, typed: dict[str, Any]) -> str:
    number = f"BB-{secrets.token_hex(3).upper()}"
    if not request.user.is_authenticated:
        identify(request, email=typed["email"], trusted=False)
    items = [{"sku": line.product.slug, "quantity": line.quantity} for line in cart]
    track(request, "order_placed", {"number": number, "total": cart.total, "items": items})
    relate(request, "order", number, total=cart.total)
    if typed["company"]:
        relate(request, "company", typed["company"], role="buyer")
    return number
