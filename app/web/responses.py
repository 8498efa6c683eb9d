"""Finished answers: bytes with a strong ETag, the right caching and the links, or 304 where the caller has them."""

import hashlib
from collections.abc import Mapping, Sequence

from fastapi import Request, Response
from pydantic import BaseModel

CACHE_CURRENT = "public, max-age=60, stale-while-revalidate=600"
CACHE_IMMUTABLE = "public, max-age=31536000, immutable"
NO_STORE = "no-store"

REGISTERED_RELATIONS = (
    "self",
    "collection",
    "describedby",
    "latest_version",
    "predecessor_version",
    "successor_version",
    "version_history",
    "original timegate",
    "timemap",
    "memento",
    "csv",
    "markdown",
    "pdf",
    "feed",
    "feed_atom",
)
LINK_TYPES = {
    "timemap": "application/link-format",
    "csv": "text/csv",
    "markdown": "text/markdown",
    "pdf": "application/pdf",
    "feed": "application/feed+json",
    "feed_atom": "application/atom+xml",
}
ALTERNATES = ("csv", "markdown", "pdf", "feed", "feed_atom")

Headers = Mapping[str, str]


def public_response(
    request: Request,
    body: BaseModel,
    *,
    caching: str,
    more_links: Mapping[str, str] | None = None,
    more_headers: Headers | None = None,
) -> Response:
    """The answer of a public read.

    `more_links` are sent in the Link header alone, because they may change while the body must not.
    """
    links = {**getattr(body, "links", {}), **(more_links or {})}
    return conditional_response(
        request,
        json_bytes(body),
        media_type="application/json",
        caching=caching,
        links=links,
        more_headers=more_headers,
    )


def conditional_response(
    request: Request,
    content: bytes,
    *,
    media_type: str,
    caching: str,
    links: Mapping[str, str],
    more_headers: Headers | None = None,
) -> Response:
    """Those bytes, or 304 with the same headers where the request names their ETag."""
    headers = {"ETag": etag_of(content), "Cache-Control": caching, **(more_headers or {})}
    if links:
        headers["Link"] = link_header(links)
    if matches_etag(request.headers.getlist("if-none-match"), headers["ETag"], weakly=True):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def json_bytes(body: BaseModel) -> bytes:
    """The answer as it goes out."""
    return body.model_dump_json().encode()


def etag_of(content: bytes) -> str:
    """The strong ETag of those bytes."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def gzip_etag(etag: str) -> str:
    """The strong ETag of the same answer as gzip: other bytes, so another tag (RFC 9110, section 8.8.3.3)."""
    return f'{etag[:-1]}-gzip"'


def matches_etag(headers: Sequence[str], etag: str, *, weakly: bool = False) -> bool:
    """Whether the header names the tag (RFC 9110, section 8.8.3.2): `*` names any."""
    named = [tag.strip() for header in headers for tag in header.split(",")]
    if weakly:
        named = [tag.removeprefix("W/") for tag in named]
    return etag in named or "*" in named


def link_header(links: Mapping[str, str]) -> str:
    """The Link header (RFC 8288) of those links whose relation is registered (RFC 5829, RFC 7089 and others)."""
    return ", ".join(link_value(path, relation) for relation, path in links.items() if relation in REGISTERED_RELATIONS)


def link_value(path: str, relation: str, **attributes: str) -> str:
    """One link, as it stands in a Link header or in a TimeMap."""
    if relation in LINK_TYPES:
        attributes = {"type": LINK_TYPES[relation]} | attributes
    told = "".join(f'; {name}="{value}"' for name, value in attributes.items())
    name = "alternate" if relation in ALTERNATES else relation.replace("_", "-")
    return f'<{path}>; rel="{name}"{told}'
