"""The OpenAPI document: FastAPI's, with problems under their own media type and without its default 422."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.routers.problems import MEDIA_TYPE
from app.routers.reference import DESCRIPTION

PROBLEM = {"$ref": "#/components/schemas/Problem"}
DEFAULT_422 = {"$ref": "#/components/schemas/HTTPValidationError"}
SERVERS = [{"url": "/", "description": "This service."}]
GUIDANCE = """
{description}

**In immediate danger call 999.** This API never scores a child: it holds no level, count or ranking of indicators, and
every answer with indicators or factors carries the cautions that belong to them.

Reads are open to everyone and may be cached. Errors are problem details (RFC 9457). Keys are added to `/v1`, and never
renamed or removed.
"""


def document_problems(app: FastAPI) -> None:
    """Have `app.openapi()` describe this service as it answers."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary=DESCRIPTION,
        description=GUIDANCE.format(description=DESCRIPTION).strip(),
        routes=app.routes,
        servers=SERVERS,
    )
    for operations in document["paths"].values():
        for operation in operations.values():
            _correct(operation["responses"])
    for unused in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(unused, None)
    return document


def _correct(responses: dict[str, Any]) -> None:
    for status, response in list(responses.items()):
        content = response.get("content", {})
        schema = content.get("application/json", {}).get("schema")
        if schema == DEFAULT_422:
            del responses[status]
        elif schema == PROBLEM:
            content[MEDIA_TYPE] = content.pop("application/json")
