from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.core.checks import run_checks

from example_project.shop.catalogue import PRODUCTS
from identity_tracking.models import Activity, Person

pytestmark = pytest.mark.django_db

PAGES = ("/", "/cart/", "/club/", "/login/", "/sign-up/", "/products/hello-world/")
PASSWORD = "correct-horse"


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", "ada@example.com", PASSWORD, first_name="Ada")


def names(person: Person | None) -> list[str]:
    """What somebody did, oldest first."""
    assert person is not None
    return [activity.name for activity in person.activities.reverse() if activity.name]


def test_the_settings_pass_every_check():
    assert run_checks() == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_answers_and_carries_the_script(client, path):
    response = client.get(path)

    assert response.status_code == 200
    assert b'id="cio-tracker"' in response.content
    assert "_cioanonid" in response.cookies


@pytest.mark.parametrize("slug", PRODUCTS)
def test_every_product_has_a_page(client, slug):
    assert client.get(f"/products/{slug}/").status_code == 200


def test_the_style_sheet_is_found():
    assert finders.find("shop/shop.css")


def test_what_is_not_sold_is_not_found(client):
    assert client.get("/products/tea/").status_code == 404
    assert client.post("/products/tea/add/").status_code == 404


def test_a_sign_up_takes_along_what_was_done_before(client):
    client.get("/")
    client.post("/products/dark-mode/add/")

    client.post(
        "/sign-up/",
        {
            "username": "ada",
            "first_name": "Ada",
            "email": "ada@example.com",
            "password1": PASSWORD,
            "password2": PASSWORD,
        },
    )

    person = Person.objects.find(id=User.objects.get().pk)
    assert names(person) == ["added_to_cart", "signed_up"]
    assert client.get("/account/").status_code == 200


def test_an_order_relates_its_customer_to_it_and_to_the_company(client, ada):
    client.force_login(ada)
    client.post("/products/dark-mode/add/")

    response = client.post(
        "/checkout/", {"email": ada.email, "company": "Analytical Engines"}, follow=True
    )

    person = Person.objects.find(id=ada.pk)
    assert person is not None
    assert b"Thank you" in response.content
    related = {str(row.object).split(":")[0] for row in person.relationships}
    assert related == {"order", "company"}
    assert "order_placed" in names(person)


def test_a_guest_who_orders_is_known_by_the_email(client):
    client.get("/")
    client.post("/products/dark-mode/add/")

    client.post("/checkout/", {"email": "grace@example.com"})

    person = Person.objects.find(email="grace@example.com")
    assert person is not None
    assert names(person) == ["added_to_cart", "order_placed"]
    assert [row.object.object_type for row in person.relationships] == ["order"]


def test_nobody_opens_the_page_of_anothers_order(client):
    assert client.get("/orders/BB-123456/").status_code == 404


def test_an_empty_cart_cannot_be_checked_out(client):
    assert client.get("/checkout/").headers["Location"] == "/cart/"


def test_what_is_removed_from_the_cart_is_gone(client):
    client.get("/")
    client.post("/products/dark-mode/add/")

    response = client.post("/products/dark-mode/remove/", follow=True)

    assert b"Nothing in it yet" in response.content
    assert Activity.objects.filter(name="removed_from_cart").exists()


def test_an_email_typed_for_the_newsletter_is_not_taken_for_proven(client):
    client.get("/")

    client.post("/newsletter/", {"email": "lin@example.com"})

    claim = Activity.objects.get(type="identify")
    person = Person.objects.find(email="lin@example.com")
    assert not claim.trusted
    assert person is not None
    assert person.attributes == {"newsletter": True}


def test_no_email_joins_no_newsletter(client):
    response = client.post("/newsletter/", {"email": "nonsense"}, follow=True)

    assert b"That is no email address" in response.content
    assert not Activity.objects.exists()


def test_the_account_shows_its_person_and_a_personal_link(client, ada):
    response = client.post("/login/", {"username": "ada", "password": PASSWORD}, follow=True)

    person = response.context["person"]
    assert person == Person.objects.find(id=ada.pk)
    assert f"_cio_id={person.cio_id}".encode() in response.content


def test_the_account_is_not_for_visitors(client):
    assert client.get("/account/").headers["Location"] == "/login/?next=/account/"
