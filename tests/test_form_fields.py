from __future__ import annotations

import pytest

from identity_tracking.form_fields import Role, may_be_taken, usual_role


@pytest.mark.parametrize(
    "name",
    [
        *("email", "E-Mail", "user[email]", "yourEmail", "your-email", "mce-EMAIL", "email2"),
        *("email_address", "EmailAddress", "Ihre-Mailadresse", "e_mail", "work.email"),
    ],
)
def test_a_field_that_asks_for_an_email_gives_it(name):
    assert usual_role(name) is Role.EMAIL


@pytest.mark.parametrize(
    "name",
    [
        *("first_name", "friend_email", "email_consent", "email_opt_in", "send_by_email"),
        *("confirm_email", "mailing", "emails_per_week", "user_id", "ID card"),
    ],
)
def test_any_other_gives_an_attribute(name):
    assert usual_role(name) is Role.ATTRIBUTE


@pytest.mark.parametrize("name", ["id", "ID"])
def test_a_field_called_id_gives_the_id(name):
    assert usual_role(name) is Role.ID


@pytest.mark.parametrize(
    "name",
    [
        *("password", "user_pass", "Password1", "newPassword", "passwort", "passcode", "pwd"),
        *("csrfmiddlewaretoken", "_token", "authenticity_token", "__RequestVerificationToken"),
        *("cc-number", "cc-exp", "ccnumber", "card_number", "cardNumber", "cardholder", "cvc"),
        *("_wpnonce", "g-recaptcha-response", "cf-turnstile-response", "otp", "client_secret"),
        *("form_id", "form_name", "form_url_param", "cio_relationships", "anonymous_id", "", " "),
    ],
    ids=repr,
)
def test_what_is_secret_or_not_the_persons_is_never_taken(name):
    assert not may_be_taken(name)


@pytest.mark.parametrize(
    "name",
    ["compass", "passenger", "passport_no", "announcement", "gift_card", "cc", "id", "secretary"],
)
def test_a_field_that_only_sounds_so_is_taken(name):
    assert may_be_taken(name)
