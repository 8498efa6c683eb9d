"""The API documentation as pages: the first steps, and Swagger UI."""

import datetime as dt
import json
from typing import Annotated, Literal

from fastapi import Path, Request, Response

from app.build import VERSION
from app.errors import GuidanceError, NotFound
from app.http.auth import PUBLIC
from app.http.context import AppContext
from app.http.openapi import JsonObject, build_readers_document
from app.http.responses import CACHE_CURRENT, caching_until, conditional_response
from app.http.routes import GuidanceRouter
from app.pages.assets import MEDIA_TYPES
from app.pages.page import PAGES_DIR, STATIC_DIR, Site, SiteDep
from app.services.access.clients import draw_docs_key

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC])
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
KEY_LIFE = dt.timedelta(days=1)
SAMPLES_DIR = PAGES_DIR / "samples"
SWAGGER_DIR = STATIC_DIR / "swagger"
SAMPLES_URL = "http://127.0.0.1:8000"
SAMPLES = {"curl": "curl.sh", "Python": "python.py.txt", "JavaScript, in a browser": "browser.js.txt"}
DocsAsset = Literal["docs.js", "docs.css", "swagger-ui-bundle.js", "swagger-ui.css"]


@router.get("/openapi.json")
def read_openapi(request: Request) -> Response:
    return _document(request, request.app.openapi())


@router.get("/openapi.public.json")
def read_readers_openapi(request: Request) -> Response:
    """Return an OpenAPI document with only the operations on guidance and concerns."""
    return _document(request, build_readers_document(request.app.openapi()))


def _document(request: Request, described: JsonObject) -> Response:
    document = json.dumps(described, ensure_ascii=False, separators=(",", ":")).encode()
    return conditional_response(request, document, media_type="application/json", caching=CACHE_CURRENT, links={})


@router.get("/docs")
def read_docs(site: SiteDep) -> Response:
    return _docs(site, "/openapi.public.json")


@router.get("/docs/all")
def read_all_docs(site: SiteDep) -> Response:
    return _docs(site, "/openapi.json")


def _docs(site: Site, document: str) -> Response:
    key, until = _find_test_key(site.context, site.now) or (None, None)
    is_whole = document == "/openapi.json"
    page = site.html(
        "docs.html", document=document, is_whole=is_whole, test_key=key, version=VERSION, is_built=SWAGGER_DIR.is_dir()
    ).encode()
    caching = caching_until(until, site.now, CACHE_CURRENT)
    response = conditional_response(site.request, page, media_type="text/html", more_headers=caching, links={})
    response.headers["Content-Security-Policy"] = POLICY
    return response


def _find_test_key(context: AppContext, now: dt.datetime) -> tuple[str, dt.datetime] | None:
    """Return the key, and the time until which it is shown. None if this service is not a trial.

    A key is valid for a day and replaced after half a day. Each is recorded.
    """
    if not context.settings.is_trial:
        return None
    drawn = context.docs_keys
    if not drawn or now - drawn[0][1] >= KEY_LIFE / 2:
        try:
            drawn[:] = [(draw_docs_key(context.writer, at=now, life=KEY_LIFE), now)]
        except GuidanceError:  # the disk is full, or the client is revoked: show the page without a key
            return None
    key, drawn_at = drawn[0]
    return key, drawn_at + KEY_LIFE / 2


@router.get("/docs/getting-started")
def read_getting_started(site: SiteDep) -> Response:
    """Show the first steps with the API, with samples for curl, Python and JavaScript."""
    samples = {
        name: (SAMPLES_DIR / file).read_text(encoding="utf-8").replace(SAMPLES_URL, site.context.settings.public_url)
        for name, file in SAMPLES.items()
    }
    return site.cached_page("getting_started.html", samples=samples, version=VERSION)


@router.get("/docs/{asset}")
def read_docs_asset(request: Request, asset: Annotated[DocsAsset, Path()]) -> Response:
    """Return the file `asset`, which the pages of the API documentation load. 404 if it was not built."""
    file = (STATIC_DIR if asset.startswith("docs.") else SWAGGER_DIR) / asset
    if not file.is_file():
        raise NotFound
    return conditional_response(request, file.read_bytes(), media_type=MEDIA_TYPES[file.suffix], links={})
