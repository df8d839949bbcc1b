"""What a visitor can type."""

from __future__ import annotations

from django import forms
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User


class NewsletterForm(forms.Form):
    email = forms.EmailField(label="Email")


class CheckoutForm(forms.Form):
    email = forms.EmailField(
        label="Email", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )
    company = forms.CharField(
        label="Company",
        max_length=100,
        required=False,
        help_text="If the beans go to an office.",
        widget=forms.TextInput(attrs={"autocomplete": "organization"}),
    )


class SignUpForm(UserCreationForm):  # type: ignore[type-arg]  # a type only to checkers
    first_name = forms.CharField(
        label="First name",
        max_length=150,
        widget=forms.TextInput(attrs={"autocomplete": "given-name"}),
    )
    email = forms.EmailField(
        label="Email", widget=forms.EmailInput(attrs={"autocomplete": "email"})
    )

    class Meta(UserCreationForm.Meta):
        model = User
        fields = ("username", "first_name", "email")
