"""The catalogue of this service's APIs (RFC 9727), for programs that know only the host."""

import json

from fastapi import Request, Response

from app.models.links import API_CATALOG
from app.web.auth import PUBLIC
from app.web.context import SettingsDep
from app.web.problem_responses import RESPONSES_OF_READS
from app.web.responses import Responses, conditional_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(tags=["Reference"], dependencies=[PUBLIC], responses=RESPONSES_OF_READS)

LINKSET = "application/linkset+json"
API_CATALOG_PROFILE = "https://www.rfc-editor.org/info/rfc9727"
APIS = {
    "/v1": {
        "service-desc": ("/openapi.json", "application/vnd.oai.openapi+json;version=3.1"),
        "service-doc": ("/docs", "text/html"),
        "service-meta": ("/v1", "application/json"),
        "status": ("/health/ready", "application/json"),
    },
    "/open-referral/v3": {"service-desc": ("/open-referral/v3/openapi.json", "application/json")},
}
"""Each API: what describes it, by relation (RFC 8631)."""


def _described(public_url: str, path: str) -> dict[str, object]:
    targets = {
        relation: [{"href": public_url + target, "type": media_type}]
        for relation, (target, media_type) in APIS[path].items()
    }
    return {"anchor": public_url + path, **targets}


def _linkset(public_url: str) -> dict[str, list[dict[str, object]]]:
    return {
        "linkset": [
            {"anchor": public_url + API_CATALOG, "item": [{"href": public_url + path} for path in APIS]},
            *(_described(public_url, path) for path in APIS),
        ]
    }


AS_LINKSET: Responses = {
    200: {
        "description": "The linkset (RFC 9264).",
        "content": {LINKSET: {"schema": {"type": "object"}, "example": _linkset("https://guidance.example")}},
    }
}


@router.get(API_CATALOG, summary="Read the catalogue of APIs", response_class=Response, responses=AS_LINKSET)
def read_api_catalog(request: Request, settings: SettingsDep) -> Response:
    """Where each API of this service is described: a linkset (RFC 9727)."""
    content = json.dumps(_linkset(settings.public_url)).encode()
    media_type = f'{LINKSET}; profile="{API_CATALOG_PROFILE}"'
    return conditional_response(request, content, media_type=media_type, links={"api_catalog": API_CATALOG})
