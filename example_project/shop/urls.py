"""The shop's pages."""

from __future__ import annotations

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from example_project.shop import views

urlpatterns = [
    path("", views.home, name="home"),
    path("products/<slug:slug>/", views.product, name="product"),
    path("products/<slug:slug>/add/", views.add_to_cart, name="add_to_cart"),
    path("products/<slug:slug>/remove/", views.remove_from_cart, name="remove_from_cart"),
    path("cart/", views.cart, name="cart"),
    path("checkout/", views.checkout, name="checkout"),
    path("orders/<slug:number>/", views.order, name="order"),
    path("newsletter/", views.newsletter, name="newsletter"),
    path("club/", views.club, name="club"),
    path("account/", views.account, name="account"),
    path("sign-up/", views.sign_up, name="sign_up"),
    path("login/", LoginView.as_view(), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
]
