"""The catalogue of APIs (RFC 9727)."""

import json

from fastapi import Request, Response

from app.extensions.open_data import API_CATALOG, STUB
from app.http.auth import PUBLIC
from app.http.context import SettingsDep
from app.http.problems import RESPONSES_OF_READS
from app.http.responses import Responses, conditional_response
from app.http.routes import GuidanceRouter

router = GuidanceRouter(dependencies=[PUBLIC])
LINKSET = "application/linkset+json"
API_CATALOG_PROFILE = "https://www.rfc-editor.org/info/rfc9727"
APIS = {
    "/v1": {
        "service-desc": ("/openapi.json", "application/vnd.oai.openapi+json;version=3.1"),
        "service-doc": ("/docs", "text/html"),
        "service-meta": ("/v1", "application/json"),
        "status": ("/health/ready", "application/json"),
    },
    STUB: {"service-desc": (f"{STUB}/openapi.json", "application/json")},
}
"""Documents of each API, by relation (RFC 8631)."""


def _linkset(public_url: str) -> dict[str, list[dict[str, object]]]:
    described: list[dict[str, object]] = [
        {"anchor": public_url + path}
        | {relation: [{"href": public_url + target, "type": kind}] for relation, (target, kind) in targets.items()}
        for path, targets in APIS.items()
    ]
    items = [{"href": public_url + path} for path in APIS]
    return {"linkset": [{"anchor": public_url + API_CATALOG, "item": items}, *described]}


AS_LINKSET: Responses = {
    200: {
        "description": "The linkset (RFC 9264).",
        "content": {LINKSET: {"schema": {"type": "object"}, "example": _linkset("https://guidance.example")}},
    }
}


@router.get(
    API_CATALOG,
    tags=["Feeds"],
    summary="Get the API catalogue",
    response_class=Response,
    responses=RESPONSES_OF_READS | AS_LINKSET,
)
def read_api_catalog(request: Request, settings: SettingsDep) -> Response:
    """The descriptions of each API of this service, as a linkset (RFC 9727)."""
    content = json.dumps(_linkset(settings.public_url)).encode()
    media_type = f'{LINKSET}; profile="{API_CATALOG_PROFILE}"'
    return conditional_response(request, content, media_type=media_type, links={"api_catalog": API_CATALOG})
