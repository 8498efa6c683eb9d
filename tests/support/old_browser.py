"""A browser of 2021: what Chromium has that a phone of those days lacks is taken away from the pages."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, Route

UNKNOWN = {":has(": ":-unknown(", ":focus-visible": ":-unknown", "@container": "@-unknown"}
"""What an old browser does not know in a style, and what stands in its place: Chromium drops such a rule too."""
TAKE_AWAY = """
for (const { prototype } of [Array, String]) delete prototype.at;
delete SubmitEvent.prototype.submitter;
delete HTMLElement.prototype.inert;
const focus = HTMLElement.prototype.focus;
HTMLElement.prototype.focus = function () { focus.call(this); };
const show = Element.prototype.scrollIntoView;
Element.prototype.scrollIntoView = function (isTop) { show.call(this, Boolean(isTop ?? true)); };
const scroll = window.scrollTo;
window.scrollTo = (x, y) => { if (typeof x !== "number") throw new TypeError("no options"); scroll(x, y); };
"""


def _without_new_style(route: Route) -> None:
    response = route.fetch()
    text = response.text()
    for name, instead in UNKNOWN.items():
        text = text.replace(name, instead)
    headers = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    route.fulfill(status=response.status, headers=headers, content_type=response.headers["content-type"], body=text)


@contextmanager
def old_phone(browser: Browser, url: str, *, has_scripts: bool = True, **options: Any) -> Iterator[Page]:
    """Open a page on an old phone. Its changed style has another digest, so the browser does not look at it."""
    context = browser.new_context(
        base_url=url,
        viewport={"width": 360, "height": 740},
        java_script_enabled=has_scripts,
        bypass_csp=True,
        **options,
    )
    context.add_init_script(TAKE_AWAY)
    context.route(
        lambda address: address.startswith(url),
        lambda route: (
            _without_new_style(route)
            if route.request.resource_type in ("document", "stylesheet")
            else route.continue_()
        ),
    )
    yield context.new_page()
    context.unroute_all(behavior="ignoreErrors")
    context.close()
