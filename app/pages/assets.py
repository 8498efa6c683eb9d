"""Static files of the pages: the stylesheet with the council's colours, the script and the logo."""

from enum import StrEnum
from typing import Annotated

from fastapi import Path, Request, Response

from app.config import Settings
from app.errors import NotFound
from app.pages.page import PAGES_DIR
from app.web.auth import PUBLIC
from app.web.context import ContextDep
from app.web.responses import CACHE_CURRENT, conditional_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC])

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
}
EQUAL_CONTRAST_LUMINANCE = 0.179
"""The relative luminance on which black and white text have the same contrast (WCAG 2.2, ratio 4.58)."""


class Asset(StrEnum):
    """The files that pages load."""

    STYLE = "pages.css"
    SCRIPT = "pages.js"
    FORM_SCRIPT = "form.js"
    LOGO = "logo"


@router.get("/looks/{look}")
def read_asset(request: Request, context: ContextDep, look: Annotated[Asset, Path()]) -> Response:
    """Return one of the files."""
    file = context.settings.council_logo if look is Asset.LOGO else PAGES_DIR / "static" / look.value
    if file is None:
        raise NotFound
    content = file.read_bytes()
    if look is Asset.STYLE:
        content = _colour_variables(context.settings).encode() + content
    media_type = MEDIA_TYPES[file.suffix.lower()]
    return conditional_response(request, content, media_type=media_type, caching=CACHE_CURRENT, links={})


def text_colour_on(colour: str) -> str:
    """Return black or white, the one with more contrast on `#rrggbb`: at least 4.5 to 1 on every colour."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]  # noqa: PLR2004  # sRGB
    luminance = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#000000" if luminance > EQUAL_CONTRAST_LUMINANCE else "#ffffff"


def _colour_variables(settings: Settings) -> str:
    band, button = settings.council_colour, settings.council_button_colour
    on_band, on_button = text_colour_on(band), text_colour_on(button)
    return f":root{{--band:{band};--on-band:{on_band};--button:{button};--on-button:{on_button}}}\n"
