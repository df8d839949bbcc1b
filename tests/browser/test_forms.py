"""The script of forms in a real browser: what it tells, and what never leaves the page."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.browser("chromium", "firefox")

SCRIPT = '<script async id="cio-forms-handler" src="/people/visitor-forms.js"></script>'
SIGN_UP = """
<form id="signup" action="/next/" method="{method}">
  <input type="hidden" name="csrfmiddlewaretoken" value="secret-1">
  <input name="who" type="email" value="ada@example.com">
  <input name="first_name" value="Ada">
  <input name="id" value="a field of this name">
  <input name="interest" type="checkbox" value="tea" checked>
  <input name="interest" type="checkbox" value="beans" checked>
  <input name="interest" type="checkbox" value="nothing">
  <select name="size"><option value="">-</option><option value="L" selected>large</option></select>
  <button name="go" value="1">Sign up</button>
</form>
"""
SECRETS = """
<form id="pay">
  <input name="login" autocomplete="username" value="ada">
  <input type="password" name="one" value="secret-1" autocomplete="new-password">
  <input name="two" autocomplete="section-a billing cc-number" value="secret-2">
  <input type="hidden" name="three" value="secret-3">
  <input name="csrf_token" value="secret-4">
  <input name="ssn" value="secret-5">
  <input name="card-number" value="secret-6">
  <input name="ccnumber" value="secret-11"><input name="cc_exp" value="secret-12">
  <input name="seven" value="secret-7" data-cio-ignore>
  <div data-cio-ignore><textarea name="eight">secret-8</textarea></div>
  <fieldset disabled><input name="nine" value="secret-9"></fieldset>
  <input name="ten" autocomplete="one-time-code" value="secret-10">
  <input type="file" name="file">
  <input name="note" value="seen" data-cio-name="remark">
  <button>Pay</button>
</form>
"""


def form_of(site):
    return site.wait_for("_cio_form")["data"]


@pytest.mark.parametrize("method", ["get", "post"])
def test_40_a_form_is_told_when_it_is_submitted(site, page, method):
    site.add("/next/")
    page.goto(site.add("/", SCRIPT + SIGN_UP.format(method=method)))
    page.wait_for_load_state("load")
    page.click("button", no_wait_after=True)

    assert form_of(site) == {
        "form_id": "signup",
        "who": "ada@example.com",
        "email": "ada@example.com",
        "first_name": "Ada",
        "id": "a field of this name",
        "interest": "tea, beans",
        "size": "L",
    }


def test_40_what_is_nobodys_business_never_leaves_the_page(site, page):
    page.goto(site.add("/", SCRIPT + SECRETS))
    page.wait_for_load_state("load")
    page.evaluate("document.forms[0].onsubmit = () => false")
    page.click("button")

    assert form_of(site) == {"form_id": "pay", "login": "ada", "remark": "seen"}
    assert not [post.text for post in site.posts if "secret" in post.text]


def submitted(site, page, html):
    page.goto(site.add("/", SCRIPT + html))
    page.wait_for_load_state("load")
    page.evaluate("document.forms[0].onsubmit = () => false; document.forms[0].requestSubmit()")
    return form_of(site)


def test_40_of_a_list_all_that_was_chosen_is_told(site, page):
    chosen = """<form id="taste" name="of no matter">
      <select name="likes" multiple><option selected>tea<option>rum<option selected>beans</select>
      <select name="size"><option disabled selected>choose<option>L</select>
      <fieldset disabled><select name="none"><option selected>x</select></fieldset>
      <select multiple disabled name="no"><option selected>x</select></form>"""

    assert submitted(site, page, chosen) == {"form_id": "taste", "likes": "tea, beans"}


def test_40_a_field_is_told_of_the_form_that_it_belongs_to(site, page):
    apart = """<form id="ours"><input name="a" value="1">
      <input form="theirs" type="email" name="b" value="bob@example.com"></form>
      <input form="ours" type="email" name="mail" value="ada@example.com">
      <form id="theirs"></form><input name="nobodys" value="2">"""

    assert submitted(site, page, apart) == {
        "form_id": "ours",
        "a": "1",
        "mail": "ada@example.com",
        "email": "ada@example.com",
    }


def test_40_of_two_emails_the_one_that_is_called_so_says_who_it_is(site, page):
    two = """<form id="recommend"><input type="email" name="friend" value="bob@example.com">
      <input type="email" name="email" value="ada@example.com"></form>"""

    assert submitted(site, page, two) == {
        "form_id": "recommend",
        "friend": "bob@example.com",
        "email": "ada@example.com",
    }


@pytest.mark.parametrize(
    "how",
    [
        "form.requestSubmit()",
        "form.onsubmit = (event) => { event.preventDefault(); fetch('/'); }; form.requestSubmit()",
        "form.onsubmit = (event) => event.stopImmediatePropagation(); form.requestSubmit()",
    ],
    ids=["by the page", "sent by the page itself", "stopped"],
)
def test_40_a_form_that_came_later_and_that_the_page_sends_is_told(site, page, how):
    page.goto(site.add("/", SCRIPT))
    page.wait_for_load_state("load")
    page.evaluate(
        """how => {
            document.body.innerHTML = '<form name="late"><input name="mail" value="a@b.example">';
            const form = document.forms[0];
            eval(how);
        }""",
        how,
    )

    assert form_of(site) == {"form_id": "late", "mail": "a@b.example"}


@pytest.mark.parametrize(
    "form", ["<form data-cio-ignore>", '<form action="/people/forms/submit_action?form_id=a">']
)
def test_40_some_forms_are_left_alone(site, page, form):
    page.goto(site.add("/", f'{SCRIPT}{form}<input name="a" value="b"></form>'))
    page.wait_for_load_state("load")
    page.evaluate("document.forms[0].onsubmit = () => false; document.forms[0].requestSubmit()")
    page.evaluate("_cio.track('last')")

    site.wait_for("last")
    assert [one["name"] for one in site.of("track")] == ["last"]


def test_41_a_form_that_leaves_the_site_is_told(site, page):
    away = site.url("/next/", "elsewhere.test")
    site.add("/next/")
    page.goto(site.add("/", f'{SCRIPT}<form action="{away}"><input name="a" value="b"></form>'))
    page.wait_for_load_state("load")
    page.evaluate("document.forms[0].requestSubmit()")

    assert form_of(site) == {"form_id": "/", "a": "b"}
