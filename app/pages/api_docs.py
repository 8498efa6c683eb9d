"""The API documentation as pages: the first steps, and Swagger UI from an installed package."""

import json
from enum import StrEnum
from importlib.resources import files
from pathlib import PurePath
from typing import Annotated

from fastapi import Path, Request, Response

from app.config import VERSION
from app.http.auth import PUBLIC
from app.http.openapi import JsonObject
from app.http.params import GuidanceRouter
from app.http.responses import CACHE_CURRENT, conditional_response
from app.pages.assets import MEDIA_TYPES, STATIC_DIR
from app.pages.page import PAGES_DIR, SiteDep

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC])

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
SAMPLES_DIR = PAGES_DIR / "samples"
SAMPLES_URL = "http://127.0.0.1:8000"
SAMPLES = {"curl": "curl.sh", "Python": "python.py.txt", "JavaScript, in a browser": "browser.js.txt"}


class DocsAsset(StrEnum):
    """The files of the page."""

    SCRIPT = "docs.js"
    STYLE = "docs.css"
    SWAGGER_SCRIPT = "swagger-ui-bundle.js"
    SWAGGER_STYLE = "swagger-ui.css"


@router.get("/openapi.json")
def read_openapi(request: Request) -> Response:
    """Return the OpenAPI document."""
    return _document(request, request.app.openapi())


@router.get("/openapi.public.json")
def read_readers_openapi(request: Request) -> Response:
    """Return the part of the OpenAPI document for readers: guidance and concerns."""
    return _document(request, request.app.readers_openapi())


def _document(request: Request, described: JsonObject) -> Response:
    document = json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
    return conditional_response(request, document, media_type="application/json", caching=CACHE_CURRENT, links={})


@router.get("/docs")
def read_docs(site: SiteDep) -> Response:
    """Return the page on which the API can be read and tried."""
    page = site.html("docs.html", version=VERSION).encode()
    response = conditional_response(site.request, page, media_type="text/html", caching=CACHE_CURRENT, links={})
    response.headers["Content-Security-Policy"] = POLICY
    return response


@router.get("/docs/getting-started")
def read_getting_started(site: SiteDep) -> Response:
    """Return the first steps with the API, in three languages."""
    samples = {
        name: (SAMPLES_DIR / file).read_text(encoding="utf-8").replace(SAMPLES_URL, site.context.settings.public_url)
        for name, file in SAMPLES.items()
    }
    return site.cached_page("getting_started.html", samples=samples, version=VERSION)


@router.get("/docs/{asset}")
def read_docs_asset(request: Request, asset: Annotated[DocsAsset, Path()]) -> Response:
    """Return one file of the page."""
    is_own = asset in (DocsAsset.SCRIPT, DocsAsset.STYLE)
    folder = STATIC_DIR if is_own else files("fastapi_standalone_docs") / "static" / "swagger"
    media_type = MEDIA_TYPES[PurePath(asset).suffix]
    return conditional_response(request, (folder / asset).read_bytes(), media_type=media_type, links={})
