"""The council's looks: the stylesheet with its colours, the few lines of script, and its logo."""

from enum import StrEnum
from pathlib import PurePath
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
AS_LIGHT_AS_DARK = 0.179
"""The relative luminance at which black and white words stand out alike (WCAG 2.2, contrast ratio 4.58)."""


class Asset(StrEnum):
    """The files that every page asks for."""

    STYLE = "pages.css"
    SCRIPT = "pages.js"
    LOGO = "logo"


@router.get("/looks/{look}")
def read_asset(request: Request, context: ContextDep, look: Annotated[Asset, Path()]) -> Response:
    """One of the files."""
    settings = context.settings
    if look is not Asset.LOGO:
        content = (PAGES_DIR / "static" / look.value).read_bytes()
        if look is Asset.STYLE:
            content = _colours(settings).encode() + content
        return conditional_response(
            request, content, media_type=MEDIA_TYPES[PurePath(look).suffix], caching=CACHE_CURRENT, links={}
        )
    if settings.council_logo is None:
        raise NotFound
    media_type = MEDIA_TYPES[settings.council_logo.suffix.lower()]
    return conditional_response(
        request, settings.council_logo.read_bytes(), media_type=media_type, caching=CACHE_CURRENT, links={}
    )


def words_upon(colour: str) -> str:
    """Black or white, whichever reads better upon `#rrggbb`: at least 4.5 to 1 for every colour."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]  # noqa: PLR2004  # sRGB
    luminance = sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return "#000000" if luminance > AS_LIGHT_AS_DARK else "#ffffff"


def _colours(settings: Settings) -> str:
    band, button = settings.council_colour, settings.council_button_colour
    return f":root{{--band:{band};--on-band:{words_upon(band)};--button:{button};--on-button:{words_upon(button)}}}\n"
