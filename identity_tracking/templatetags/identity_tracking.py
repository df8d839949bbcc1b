"""The snippet for a site's base template, and personal links."""

from __future__ import annotations

from django import template
from django.http import HttpRequest
from django.template import Context, TemplateSyntaxError
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from identity_tracking import assets, links, signatures
from identity_tracking.conf import conf
from identity_tracking.identifiers import Names
from identity_tracking.models import Person
from identity_tracking.privacy import consent
from identity_tracking.privacy.consent import Consent
from identity_tracking.visitor import harmless

try:
    from django.middleware.csp import get_nonce
except ImportError:  # Django 5.2

    def get_nonce(request: HttpRequest) -> None:  # type: ignore[misc]
        return None


register = template.Library()

OPTIONS = ("auto_track_page", "endpoint", "sign", "use_array_params")


@register.simple_tag(takes_context=True)
def identity_snippet(context: Context, **options: bool | str) -> str:
    """Write the ``_cio`` stub and the script.

    Options: ``auto_track_page=False`` sends no page view by itself; ``use_array_params=False``
    turns arrays into objects keyed by index, as Customer.io's older snippets do; ``endpoint`` is
    the URL to post to, if not the site's own; ``sign=True`` reads the session, makes the response
    private, and adds a signature of the user's id, which proves it where the session's cookie
    does not come. Both elements carry the CSP nonce of the request, where there is one. Writes
    nothing where ENABLED is False, nor where CONSENT is required and was not given; then the page
    varies by cookie. A page that the site's cache is about to keep has them for everybody: there
    the script is empty for who gave none.
    """
    unknown = set(options) - set(OPTIONS)
    if unknown:
        known = ", ".join(OPTIONS)
        raise TemplateSyntaxError(f"identity_snippet takes {known}, not {unknown.pop()}.")
    if not conf.ENABLED:
        return ""
    request = context.get("request")
    if not _has_consent(request):
        return ""
    nonce = _nonce(request)
    return format_html(
        '<script{}>{}</script>\n<script async id="cio-tracker"{} src="{}"{}></script>',
        nonce,
        SafeString(assets.stub()),
        nonce,
        _address("script", "visitor"),
        _attributes(_signed_site_id(request) if options.get("sign") else conf.SITE_ID, options),
    )


@register.simple_tag(takes_context=True)
def identity_forms(context: Context) -> str:
    """Write the script that watches the page's forms; it stands after ``identity_snippet``.

    Who submits a form with an email is identified by it, and the submission is kept: see
    docs/forms.md. Writes nothing where ``identity_snippet`` would write nothing.
    """
    request = context.get("request")
    if not conf.ENABLED or not _has_consent(request):
        return ""
    address = _address("forms_script", "forms")
    return format_html(
        '<script async id="cio-forms-handler"{} src="{}"></script>', _nonce(request), address
    )


@register.filter
def identify_link(url: str, person: Person | None) -> str:
    """Append to ``url`` the parameter that identifies whoever opens it as ``person``."""
    return links.personal(url, person) if person else url


def _address(view: str, script: str) -> str:
    """Return the URL of a script: it names the build, and by which settings it is served."""
    build = f"{assets.version(script)}{consent.edition()}"
    return f"{reverse(f'identity_tracking:{view}')}?v={build}"


def _has_consent(request: HttpRequest | None) -> bool:
    """Say whether the snippet may be in a page; True where the page may not depend on that."""
    visitor = getattr(request, "visitor", None)
    if conf.CONSENT != Consent.REQUIRED or visitor is None or not visitor.ask_to_vary():
        return True
    return consent.is_given(visitor.request)


def _signed_site_id(request: HttpRequest | None) -> str:
    """Return the SITE_ID, and behind it the signature of the user, if it stays between us."""
    visitor = getattr(request, "visitor", None)
    if visitor is None or not visitor.ask_for_privacy():
        return conf.SITE_ID
    with harmless("signing who is logged in"):
        if visitor.proven:
            proven = Names(id=visitor.proven, email=visitor.proven_email)
            return f"{conf.SITE_ID}{signatures.SEPARATOR}{signatures.sign(proven)}"
    return conf.SITE_ID


def _attributes(site_id: str, options: dict[str, bool | str]) -> SafeString:
    values = {
        "site-id": site_id,
        "endpoint": options.get("endpoint") or reverse("identity_tracking:endpoint"),
        "use-array-params": options.get("use_array_params", True),
        "auto-track-page": options.get("auto_track_page", True),
        "cross-site-support": conf.CROSS_SITE or None,
        "enable-in-memory-storage": conf.IN_MEMORY or None,
        "cookie-domain": conf.COOKIE_DOMAIN,
        "link-parameter": None if conf.LINK_PARAMETER == "_cio_id" else conf.LINK_PARAMETER,
    }
    written = (
        (name, str(value).lower() if isinstance(value, bool) else value)
        for name, value in values.items()
    )
    return format_html_join("", ' data-{}="{}"', ((n, v) for n, v in written if v is not None))


def _nonce(request: HttpRequest | None) -> SafeString | str:
    """Return the nonce attribute, from Django's own CSP middleware or django-csp's."""
    if request is None:
        return ""
    nonce = get_nonce(request)
    if nonce is None:
        nonce = getattr(request, "csp_nonce", None)
    return "" if nonce is None else format_html(' nonce="{}"', nonce)
