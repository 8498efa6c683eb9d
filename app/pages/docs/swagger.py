"""The API documentation as a page: Swagger UI from an installed wheel, with no request to another host."""

import json
from enum import StrEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated

from fastapi import Path, Request, Response

from app.pages.page import render_page
from app.web.auth import PUBLIC
from app.web.context import ContextDep
from app.web.responses import CACHE_CURRENT, conditional_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC])

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class DocsAsset(StrEnum):
    """The files of the page."""

    SCRIPT = "docs.js"
    STYLE = "docs.css"
    SWAGGER_SCRIPT = "swagger-ui-bundle.js"
    SWAGGER_STYLE = "swagger-ui.css"

    @property
    def media_type(self) -> str:
        """The file's media type."""
        return "text/css" if self.value.endswith(".css") else "text/javascript"

    @property
    def file(self) -> Traversable:
        """The file, in this package or in the wheel that carries Swagger UI."""
        if self in (DocsAsset.SCRIPT, DocsAsset.STYLE):
            return files("app.pages") / "static" / self.value
        return files("fastapi_standalone_docs") / "static" / "swagger" / self.value


@router.get("/openapi.json")
def read_openapi(request: Request) -> Response:
    """Return the OpenAPI document."""
    document = json.dumps(request.app.openapi(), ensure_ascii=False, separators=(",", ":")).encode()
    return conditional_response(request, document, media_type="application/json", caching=CACHE_CURRENT, links={})


@router.get("/docs")
def read_docs(request: Request, context: ContextDep) -> Response:
    """Return the page on which the API can be read and tried."""
    page = render_page(context, "docs.html", {}).encode()
    response = conditional_response(request, page, media_type="text/html", caching=CACHE_CURRENT, links={})
    response.headers["Content-Security-Policy"] = POLICY
    return response


@router.get("/docs/{asset}")
def read_docs_asset(request: Request, asset: Annotated[DocsAsset, Path()]) -> Response:
    """Return one file of the page."""
    return conditional_response(
        request, asset.file.read_bytes(), media_type=asset.media_type, caching=CACHE_CURRENT, links={}
    )
