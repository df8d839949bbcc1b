"""Settings. Everything a site may set stands here, with its type, default and unit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from django.conf import settings
from django.utils.module_loading import import_string

from identity_tracking.exceptions import HookFailed

Hook: TypeAlias = Callable[..., Any] | str | None  # a function, or its dotted path


class Conf:
    """``settings.IDENTITY_TRACKING`` over the defaults below, read anew at each access.

    A setting whose type is a Hook takes a function or its dotted path.
    """

    ENABLED: bool = True  # False: nothing is recorded, no cookie is set, the snippet is empty
    SITE_ID: str = "site"  # public name of the source; it stands in every page
    API_KEY: str = ""  # secret key of the source, for the server APIs

    ENDPOINT: str = "visit/"  # path of the browser endpoint under the include's prefix
    SCRIPT: str = "visitor.js"  # path of the browser script under the include's prefix
    FORMS_SCRIPT: str = "visitor-forms.js"  # and of the script that watches forms
    ALLOWED_ORIGINS: Sequence[str] = ()  # whose pages may post too, as "https://a.example"
    FORM_SUCCESS_URLS: Sequence[str] = ()  # where forms may lead to, beside the site's own pages

    COOKIE_MAX_AGE: int = 31_536_000  # seconds: 365 days; of cookies that the server sets
    COOKIE_DOMAIN: str | None = None  # ".shop.example" shares the visitor among sub-domains
    CROSS_SITE: bool = False  # cookies with SameSite=None; Secure
    IN_MEMORY: bool = False  # the script keeps identity in memory where cookies are blocked
    LINK_PARAMETER: str = "_cio_id"  # of personal links

    EXCLUDE_PATHS: Sequence[str] = ()  # path prefixes whose pages set no cookie
    EXCLUDE: Hook = None  # (request) -> True: record nothing
    TRUSTED_PROXIES: int | None = None  # hops of X-Forwarded-For to believe; None: not known
    THROTTLE_ADDRESS: str | None = "1200/min"  # public calls of one address, if TRUSTED_PROXIES
    THROTTLE_SOURCE: str | None = None  # all calls of one source: "100000/hour"
    URL_PARAMETERS: Sequence[str] = (  # query parameters kept in stored URLs; others are dropped
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_term",
        "utm_content",
        "utm_id",
        "gclid",
        "gbraid",
        "wbraid",
        "dclid",
        "fbclid",
        "msclkid",
        "ttclid",
        "twclid",
        "li_fat_id",
        "ref",
        "q",
        "page",
    )

    USER_ID: Hook = "identity_tracking.users.user_id"  # (user) -> the id of their person
    USER_ATTRIBUTES: Hook = "identity_tracking.users.user_attributes"  # (user) -> attributes
    EMAIL_VERIFIED: Hook = "identity_tracking.users.email_verified"  # (user) -> True: it is theirs
    MAY_IDENTIFY: Hook = None  # (request, user) -> False: this login is not that user's own
    SIGNATURE_MAX_AGE: int = 86_400  # seconds: 1 day; how long a signed page may identify its user

    CONSENT: str = "off"  # "opt-out": record until refused; "required": nothing before a yes
    CONSENT_COOKIE: str = ""  # the cookie that holds the choice: "name", or "name=value" for a yes
    HAS_CONSENT: Hook = None  # (request) -> True, False, None: not asked yet; instead of the cookie
    HONOUR_SIGNALS: bool = True  # a browser that sends Sec-GPC or DNT is not followed
    RETAIN_ANONYMOUS: int | None = 31_536_000  # seconds: 365 days; what nobody's visitors did
    RETAIN_PEOPLE: int | None = 65_836_800  # seconds: 762 days, 25 months; what people did
    RETAIN_FAILED: int | None = 2_592_000  # seconds: 30 days; failed events. None: for ever
    SUPPRESSION_KEY: str = ""  # secret; hashes who was erased: never change it. Without it, API_KEY

    JUNK: Sequence[str] = ()  # more values that are no identifier, beside the built-in ones
    PEOPLE_PER_BROWSER: int = 5  # a browser claimed for more ids than this attributes nothing
    LOOK_BACK: int | None = None  # seconds of a browser's past that its first identify claims
    LAST_SEEN_EVERY: int = 300  # seconds: how coarse ``last_seen`` is
    BACKDATE_LIMIT: int = 172_800  # seconds: how far back a browser's clock is believed

    def __getattribute__(self, name: str) -> Any:
        site = getattr(settings, "IDENTITY_TRACKING", None)
        if site and name in site and name.isupper():
            return site[name]
        return super().__getattribute__(name)

    def given(self) -> dict[str, Any]:
        """Return what the site itself set."""
        site: dict[str, Any] = getattr(settings, "IDENTITY_TRACKING", {})
        return site

    def hook(self, name: str) -> Callable[..., Any] | None:
        """Return the callable that the setting ``name`` holds or names, or None."""
        value: Any = getattr(self, name)
        hook: Callable[..., Any] | None = import_string(value) if isinstance(value, str) else value
        return hook

    def ask(self, name: str, *args: Any, otherwise: Any = None) -> Any:
        """Return what the hook ``name`` says of ``args``; ``otherwise`` where there is none.

        Raises HookFailed where the hook raises.
        """
        try:
            hook = self.hook(name)
            return otherwise if hook is None else hook(*args)
        except Exception as error:
            raise HookFailed(f"The setting {name} failed.") from error


conf = Conf()
