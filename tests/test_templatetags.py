from __future__ import annotations

import importlib.util
import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from identity_tracking import assets, signatures
from identity_tracking.identifiers import Names, names
from identity_tracking.visitor import Visitor
from tests.web import Browser, configure

HAS_CSP = importlib.util.find_spec("django.middleware.csp") is not None


def snippet(options="", request=None):
    template = Template("{% load identity_tracking %}{% identity_snippet " + options + " %}")
    return template.render(Context({"request": request} if request else {}))


def signed_by(html):
    """Return what the signature in ``html`` proves."""
    site_id, _, signature = re.findall('data-site-id="([^"]*)"', html)[0].partition(":")
    assert site_id == "shop"
    return signatures.read(signature)


@pytest.fixture
def ada(django_user_model):
    return django_user_model.objects.create(username="ada", email="Ada@example.com")


@pytest.fixture
def request_of_ada(ada):
    request: Any = RequestFactory().get("/")
    request.user = ada
    request.visitor = Visitor(request)
    return request


def test_it_is_the_stub_and_the_script():
    assert snippet() == (
        f"<script>{assets.stub()}</script>\n"
        '<script async id="cio-tracker" '
        f'src="/people/visitor.js?v={assets.version()}" data-site-id="shop" '
        'data-endpoint="/people/visit/" data-use-array-params="true" '
        'data-auto-track-page="true"></script>'
    )


def test_the_stub_is_constant_so_that_one_hash_covers_it(settings):
    before = snippet().partition("</script>")[0]
    configure(settings, SITE_ID="other", CROSS_SITE=True)

    assert snippet("auto_track_page=False").partition("</script>")[0] == before


def test_the_stub_ends_no_script_early():
    assert "</" not in assets.stub()
    assert "<!--" not in assets.stub()


@pytest.mark.parametrize(
    ("options", "attribute"),
    [
        ("auto_track_page=False", 'data-auto-track-page="false"'),
        ("auto_track_page=True", 'data-auto-track-page="true"'),
        ("use_array_params=False", 'data-use-array-params="false"'),
        ("endpoint='https://a.example/visit/'", 'data-endpoint="https://a.example/visit/"'),
        ("endpoint=''", 'data-endpoint="/people/visit/"'),
    ],
)
def test_options_become_attributes(options, attribute):
    assert attribute in snippet(options)


@pytest.mark.parametrize(
    ("given", "attribute"),
    [
        ({"CROSS_SITE": True}, 'data-cross-site-support="true"'),
        ({"IN_MEMORY": True}, 'data-enable-in-memory-storage="true"'),
        ({"COOKIE_DOMAIN": ".shop.example"}, 'data-cookie-domain=".shop.example"'),
        ({"LINK_PARAMETER": "who"}, 'data-link-parameter="who"'),
    ],
    ids=str,
)
def test_settings_become_attributes_where_they_were_changed(settings, given, attribute):
    assert attribute.partition("=")[0] not in snippet()

    configure(settings, **given)

    assert attribute in snippet()


@pytest.mark.case("XSS-13")
def test_values_are_escaped(settings):
    configure(settings, SITE_ID='"><script>alert(1)</script>')

    assert 'data-site-id="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in snippet()
    assert "alert(1)</script>" not in snippet()


def test_autoescape_off_changes_nothing(settings):
    configure(settings, SITE_ID='"><b>')
    template = (
        "{% load identity_tracking %}{% autoescape off %}{% identity_snippet %}{% endautoescape %}"
    )

    assert Template(template).render(Context()) == snippet()


def test_an_unknown_option_is_an_error_that_names_the_known():
    with pytest.raises(TemplateSyntaxError, match="use_array_params, not auto_page"):
        snippet("auto_page=False")


def test_switched_off_it_writes_nothing(settings):
    configure(settings, ENABLED=False)

    assert snippet() == ""


def test_without_a_policy_it_carries_no_nonce():
    assert "nonce" not in snippet(request=RequestFactory().get("/"))


def test_it_carries_the_nonce_of_django_csp():
    request = RequestFactory().get("/")
    vars(request)["csp_nonce"] = SimpleLazyObject(lambda: 'a"b')

    assert snippet(request=request).count(' nonce="a&quot;b"') == 2


@pytest.mark.skipif(not HAS_CSP, reason="needs Django 6")
def test_it_carries_the_nonce_of_djangos_own_policy(settings):
    from django.middleware.csp import ContentSecurityPolicyMiddleware  # noqa: PLC0415
    from django.utils.csp import CSP  # noqa: PLC0415

    settings.SECURE_CSP = {"script-src": [CSP.NONCE]}

    def view(request):
        return HttpResponse(snippet(request=request))

    response: Any = ContentSecurityPolicyMiddleware(view)(RequestFactory().get("/"))

    nonce = response["Content-Security-Policy"].partition("'nonce-")[2].partition("'")[0]
    assert response.content.decode().count(f' nonce="{nonce}"') == 2
    assert nonce


def test_it_is_in_the_page():
    assert snippet() in Browser(cioanonid="a-1").get("/").content.decode()


# Signed


def test_a_signed_page_proves_the_id_of_its_user(ada, request_of_ada):
    assert signed_by(snippet("sign=True", request_of_ada)) == names(id=ada.pk)


def test_a_signed_page_proves_an_email_that_is_verified(ada, request_of_ada, settings):
    configure(settings, EMAIL_VERIFIED=lambda user: user == ada)

    proven = signed_by(snippet("sign=True", request_of_ada))

    assert proven == names(id=ada.pk, email="ada@example.com")


def test_an_email_that_the_user_has_not_is_not_asked_for(ada, request_of_ada, settings):
    configure(settings, EMAIL_VERIFIED=fails)
    ada.email = ""

    assert signed_by(snippet("sign=True", request_of_ada)) == names(id=ada.pk)


def test_the_id_is_what_the_site_says_it_is(request_of_ada, settings):
    configure(settings, USER_ID=lambda user: f"u-{user.username}")

    assert signed_by(snippet("sign=True", request_of_ada)) == names(id="u-ada")


@pytest.mark.parametrize(
    "change",
    [
        {"MAY_IDENTIFY": lambda request, user: False},
        {"USER_ID": None},
        {"USER_ID": lambda user: user.email},
        {"EMAIL_VERIFIED": None, "USER_ID": lambda user: None},
    ],
)
def test_a_user_who_may_not_be_identified_is_not_signed(request_of_ada, settings, change):
    configure(settings, **change)

    assert signed_by(snippet("sign=True", request_of_ada)) == Names()


@pytest.mark.parametrize("options", ["", "sign=False"])
def test_nobody_is_signed_who_was_not_asked_for(request_of_ada, options):
    del request_of_ada.user  # whoever reads it sets Vary

    assert signed_by(snippet(options, request_of_ada)) == Names()
    assert not request_of_ada.visitor.has_read_session


def test_an_anonymous_visitor_is_not_signed():
    html = Browser().get("/signed/").content.decode()

    assert signed_by(html) == Names()
    assert 'data-site-id="shop"' in html


def test_without_the_middleware_nobody_is_signed(request_of_ada):
    del request_of_ada.visitor

    assert signed_by(snippet("sign=True", request_of_ada)) == Names()
    assert signed_by(snippet("sign=True")) == Names()


@pytest.mark.parametrize("hook", ["USER_ID", "MAY_IDENTIFY", "EMAIL_VERIFIED"])
def test_a_broken_hook_costs_the_signature_not_the_page(request_of_ada, settings, caplog, hook):
    configure(settings, **{hook: fails})

    assert signed_by(snippet("sign=True", request_of_ada)) == Names()
    assert len(caplog.records) == 1


def fails(*args):
    raise RuntimeError("a site's own hook is broken")
