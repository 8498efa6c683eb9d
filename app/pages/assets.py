"""Static files of the pages: stylesheets, JavaScript, the council's logo, and the font of exports."""

from pathlib import Path
from typing import Annotated, Literal

from fastapi import Path as PathParameter
from fastapi import Request, Response

from app.errors import NotFound
from app.http.auth import PUBLIC
from app.http.context import AppContext, ContextDep
from app.http.responses import CACHE_CURRENT, conditional_response
from app.http.routes import GuidanceRouter
from app.pages.page import STATIC_DIR, stylesheet
from app.services.guides.pdf import find_font_file

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC])

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ttf": "font/ttf",
}


Asset = Literal[
    "pages.css",
    "exit_bar.css",
    "tokens.css",
    "pages.js",
    "copy.js",
    "form.js",
    "danger.js",
    "leaving.js",
    "desk.css",
    "desk.js",
    "desk_clock.js",
    "desk_keys.js",
    "edit.css",
    "edit.js",
    "draft_link.js",
    "passkeys.js",
    "unseal.js",  # built from desk_script/
    "export.ttf",
    "logo",
]


@router.get("/looks/{look}")
def read_asset(request: Request, context: ContextDep, look: Annotated[Asset, PathParameter()]) -> Response:
    """Return 404 if the logo, the built script or the font is missing."""
    file = _file_of(look, context)
    if file is None or not file.is_file():
        raise NotFound
    content = stylesheet(context.settings).encode() if look == "pages.css" else file.read_bytes()
    media_type = MEDIA_TYPES[file.suffix.lower()]
    return conditional_response(request, content, media_type=media_type, caching=CACHE_CURRENT, links={})


def _file_of(look: Asset, context: AppContext) -> Path | None:
    if look == "logo":
        return context.settings.council_logo
    return find_font_file() if look == "export.ttf" else STATIC_DIR / look
