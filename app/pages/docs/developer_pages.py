"""Pages for developers: the first steps, and every operation of the API as its OpenAPI document describes it."""

from pathlib import Path
from typing import Annotated

from fastapi import Path as PathParameter
from fastapi import Request, Response

from app.errors import NotFound
from app.pages.docs.operations import find_operation, operations_by_tag
from app.pages.error_pages import PageRoute
from app.pages.page import public_page
from app.web.auth import PUBLIC
from app.web.context import ContextDep
from app.web.router import GuidanceRouter

router = GuidanceRouter(prefix="/docs", include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

SAMPLES_DIR = Path(__file__).parent / "samples"
SAMPLES_URL = "http://127.0.0.1:8000"
SAMPLES = {"curl": "curl.sh", "Python": "python.py.txt", "JavaScript, in a browser": "browser.js.txt"}


@router.get("/getting-started")
def read_getting_started(request: Request, context: ContextDep) -> Response:
    """Return the first steps with the API, in three languages."""
    samples = {
        name: (SAMPLES_DIR / file).read_text(encoding="utf-8").replace(SAMPLES_URL, context.settings.public_url)
        for name, file in SAMPLES.items()
    }
    return public_page(request, context, "getting_started.html", samples=samples)


@router.get("/reference")
def read_reference(request: Request, context: ContextDep) -> Response:
    """Return the list of operations, by tag."""
    document = request.app.openapi()
    return public_page(request, context, "reference.html", info=document["info"], tags=operations_by_tag(document))


@router.get("/reference/{operation}")
def read_operation(
    request: Request, context: ContextDep, operation: Annotated[str, PathParameter(pattern=r"^[a-z_]+$", max_length=80)]
) -> Response:
    """Return one operation: its parameters, its body and its responses."""
    found = find_operation(request.app.openapi(), operation)
    if found is None:
        raise NotFound
    return public_page(request, context, "operation.html", operation=found)
