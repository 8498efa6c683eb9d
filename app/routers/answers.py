"""Finished answers: bytes with a strong ETag, the right caching and the links, or 304 where the caller has them."""

import hashlib
from collections.abc import Mapping

from fastapi import Request, Response
from pydantic import BaseModel

CURRENT = "public, max-age=60, stale-while-revalidate=600"
IMMUTABLE = "public, max-age=31536000, immutable"
NO_STORE = "no-store"

REGISTERED_RELATIONS = (
    "self",
    "collection",
    "describedby",
    "latest_version",
    "predecessor_version",
    "successor_version",
    "version_history",
)


def public_answer(
    request: Request, body: BaseModel, *, caching: str, more_links: Mapping[str, str] | None = None
) -> Response:
    """The answer of a public read.

    `more_links` are sent in the Link header alone, because they may change while the body must not.
    """
    content = body.model_dump_json().encode()
    links = {**getattr(body, "links", {}), **(more_links or {})}
    return finished_answer(request, content, media_type="application/json", caching=caching, links=links)


def finished_answer(
    request: Request, content: bytes, *, media_type: str, caching: str, links: Mapping[str, str]
) -> Response:
    """Those bytes, or 304 with the same headers where the request names their ETag."""
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": caching}
    if links:
        headers["Link"] = link_header(links)
    if _names(request.headers.getlist("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def link_header(links: Mapping[str, str]) -> str:
    """The Link header (RFC 8288) of those links whose relation is registered (RFC 5829 and others)."""
    return ", ".join(
        f'<{path}>; rel="{relation.replace("_", "-")}"'
        for relation, path in links.items()
        if relation in REGISTERED_RELATIONS
    )


def _names(if_none_match: list[str], etag: str) -> bool:
    """Whether the header names the tag, by weak comparison (RFC 9110, section 13.1.2)."""
    named = [tag.strip().removeprefix("W/") for header in if_none_match for tag in header.split(",")]
    return etag in named or "*" in named
