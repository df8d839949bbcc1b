"""The scripts that are measured, each in the snippet that its vendor tells a site to paste.

``{collect}`` is the server that stands in for the vendor's, ``{calls}`` what the page calls before
the script is there, and ``{auto}`` whether it sends page views by itself. Umami takes no call so
early; its page waits until all is loaded.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from identity_tracking import __version__, assets

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
BUILT = Path(assets.__file__).parent / "static/identity_tracking"

# A page's calls wait in an array until the script comes: the short form of each vendor's snippet.
QUEUE = """
var %(name)s = window.%(name)s = [];
for (const method of ["page", "identify", "track", "capture"])
  %(name)s[method] = (...args) => %(name)s.push([method, ...args]);
"""
CALLS = """
%(name)s.identify("42", {plan: "pro"}); %(name)s.track("added_to_cart", {sku: "A1"});
"""
SEGMENT_LIKE = f"""
<script>{QUEUE}%(name)s._writeKey = "key"; %(name)s._cdn = "{{collect}}";{{calls}}</script>
<script async data-global-%(vendor)s-analytics-key="%(name)s" src="{{collect}}/standalone.js">
</script>
"""
POSTHOG = f"""
<script>{QUEUE % {"name": "posthog"}}posthog.__SV = 1;
posthog._i = [["key", {{api_host: "{{collect}}", capture_pageview: {{auto}}}}]];{{calls}}</script>
<script async src="{{collect}}/static/array.js"></script>
"""
PLAUSIBLE = """
<script type="module">import { init, track } from "{collect}/plausible.js";
init({domain: "shop.localhost", endpoint: "{collect}/api/event", captureOnLocalhost: true,
autoCapturePageviews: {auto}});{calls}</script>
"""
UMAMI = """
<script defer src="{collect}/script.js" data-website-id="key" data-auto-track="{auto}"></script>
<script>addEventListener("load", () => {{calls}})</script>
"""
OURS = f"""
<script>{assets.stub()}{{calls}}</script>
<script async id="cio-tracker" src="{{collect}}/visitor.min.js" data-site-id="shop"
data-endpoint="{{collect}}/visit/" data-use-array-params="true" data-auto-track-page="{{auto}}">
</script>
"""

# What the vendors' servers say of a project that has nothing optional switched on.
OFF = ("hasFeatureFlags", "sessionRecording", "surveys", "heatmaps", "captureDeadClicks")
CONFIG = {
    "supportedCompression": ["gzip", "gzip-js"],
    "autocapture_opt_out": True,
    "siteApps": [],
    **dict.fromkeys(OFF, False),
}


@dataclass(frozen=True, kw_only=True)
class Tracker:
    """One script: whose it is, where its files are, and what a page has to hold."""

    name: str
    version: str
    folder: Path
    script: str  # its main file, in ``folder``
    snippet: str
    calls: str  # an identify and an event; for some, the page view too
    posts: tuple[str, ...]  # words by which the page view and each call is known when it arrives
    answers: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        return self.name.partition(".")[0].replace("_", "-").lower() + ".localhost"

    def written(self, collect: str, *, idle: bool) -> str:
        """Return the snippet as it stands in a page; an idle one calls and sends nothing."""
        text = self.snippet.replace("{collect}", collect)
        text = text.replace("{auto}", "false" if idle else "true")
        return text.replace("{calls}", "" if idle else self.calls)


def version_of(package: str) -> str:
    return str(json.loads((MODULES / package / "package.json").read_text())["version"])


def segment_like(
    name: str, vendor: str, *, package: str, variable: str, integration: str
) -> Tracker:
    place = {"apiKey": "key", "apiHost": "{host}/v1", "protocol": "http"}
    settings = {"integrations": {integration: place}, "metrics": {"sampleRate": 0}}
    return Tracker(
        name=name,
        version=version_of(package),
        folder=MODULES / package / "dist/umd",
        script="standalone.js",
        snippet=SEGMENT_LIKE % {"name": variable, "vendor": vendor},
        calls=f"{variable}.page();" + CALLS % {"name": variable},
        posts=('"type":"page"', '"type":"identify"', "added_to_cart"),
        answers={"/v1/projects/key/settings": json.dumps(settings)},
    )


def ours() -> Tracker:
    return Tracker(
        name="identity_tracking",
        version=__version__,
        folder=BUILT,
        script="visitor.min.js",
        snippet=OURS,
        calls=CALLS % {"name": "_cio"},
        posts=('"type":"page"', '"type":"identify"', "added_to_cart"),
    )


def peers() -> list[Tracker]:
    return [
        Tracker(
            name="PostHog",
            version=version_of("posthog-js"),
            folder=MODULES / "posthog-js/dist",
            script="array.js",
            snippet=POSTHOG,
            calls=(CALLS % {"name": "posthog"}).replace(".track", ".capture"),
            posts=("$pageview", "$identify", "added_to_cart"),
            answers={
                "/array/key/config.js": "window._POSTHOG_REMOTE_CONFIG = "
                + json.dumps({"key": {"config": CONFIG, "siteApps": []}})
            },
        ),
        segment_like(
            "Segment",
            "segment",
            package="@segment/analytics-next",
            variable="analytics",
            integration="Segment.io",
        ),
        segment_like(
            "Customer.io",
            "customerio",
            package="@customerio/cdp-analytics-browser",
            variable="cioanalytics",
            integration="Customer.io Data Pipelines",
        ),
        Tracker(
            name="Plausible",
            version=version_of("@plausible-analytics/tracker"),
            folder=MODULES / "@plausible-analytics/tracker",
            script="plausible.js",
            snippet=PLAUSIBLE,
            calls='track("added_to_cart", {props: {sku: "A1"}});',  # it knows no people
            posts=("pageview", "added_to_cart"),
        ),
        Tracker(
            name="Umami",
            version="3.1.0",
            folder=HERE / "umami",
            script="script.js",
            snippet=UMAMI,
            calls=CALLS % {"name": "umami"},
            posts=('"event"', '"identify"', "added_to_cart"),
        ),
    ]
