"""Responses of public reads: a body with a strong ETag, Cache-Control and Link, or 304."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

import orjson
from fastapi import Request, Response
from pydantic import BaseModel

from app.age.keys import AGE_MEDIA_TYPE
from app.errors import VersionNotCurrent

Responses = dict[int | str, dict[str, Any]]
STALE_IF_ERROR_SECONDS = 604_800
"""A week; also for this service's own cache."""
CACHE_CURRENT = f"public, max-age=60, stale-while-revalidate=600, stale-if-error={STALE_IF_ERROR_SECONDS}"
CACHE_CHECKED = "public, no-cache"
"""Caching of a response that must never be out of date."""
REUSED_FOR = dt.timedelta(seconds=660)
"""`max-age` and `stale-while-revalidate` of `CACHE_CURRENT`."""
CACHE_IMMUTABLE = "public, max-age=31536000, immutable"
LINK_TYPES = {
    "timemap": "application/link-format",
    "csv": "text/csv",
    "markdown": "text/markdown",
    "pdf": "application/pdf",
    "feed": "application/feed+json",
    "feed_atom": "application/atom+xml",
}
ALTERNATES = LINK_TYPES.keys() - {"timemap"}
REGISTERED_RELATIONS = LINK_TYPES.keys() | {
    "self",
    "next",
    "collection",
    "describedby",
    "latest_version",
    "predecessor_version",
    "successor_version",
    "version_history",
    "api_catalog",
    "original timegate",
    "memento",
}
Headers = Mapping[str, str]
SEALED: Responses = {
    200: {
        "description": "The decrypted concern, or its sealed file if this service holds no identity.",
        "content": {
            AGE_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}, "example": "age-encryption.org/v1"}
        },
    }
}


def public_response(
    request: Request,
    body: BaseModel | Mapping[str, Any],
    *,
    caching: str = CACHE_CURRENT,
    more_links: Mapping[str, str] | None = None,
    more_headers: Headers | None = None,
) -> Response:
    """Return `body` as JSON, or 304.

    `more_links` are in the Link header only: they may change while the body must not. `more_headers` replace those of
    the same name.
    """
    own = body["links"] if isinstance(body, Mapping) else getattr(body, "links", {})
    links = {**own, **(more_links or {})}
    content, media_type = json_bytes(body), "application/json"
    return conditional_response(
        request, content, media_type=media_type, links=links, caching=caching, more_headers=more_headers
    )


def conditional_response(
    request: Request,
    content: bytes,
    *,
    media_type: str,
    links: Mapping[str, str],
    caching: str = CACHE_CURRENT,
    more_headers: Headers | None = None,
) -> Response:
    """Same as `public_response`, for any content."""
    headers = {"ETag": etag_of(content), "Cache-Control": caching, **(more_headers or {})}
    if links:
        headers["Link"] = link_header(links)
    if_match = request.headers.getlist("if-match")
    if if_match and not any(matches_etag(if_match, each) for each in (headers["ETag"], gzip_etag(headers["ETag"]))):
        raise VersionNotCurrent
    if matches_etag(request.headers.getlist("if-none-match"), headers["ETag"], weakly=True):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def caching_until(changes_at: dt.datetime | None, now: dt.datetime, caching: str) -> Headers:
    """Return caching headers of a response valid until `changes_at`.

    `Expires`, at which the response cache drops it, is `REUSED_FOR` earlier, so that no cache serves it afterwards; if
    that is past, it is `changes_at`, and caches must revalidate.
    """
    if changes_at is None:
        return {"Cache-Control": caching}
    is_near = changes_at - now <= REUSED_FOR
    until = changes_at if is_near else changes_at - REUSED_FOR
    return {
        "Cache-Control": CACHE_CHECKED if is_near else caching,
        "Expires": format_datetime(until.astimezone(dt.UTC), usegmt=True),
    }


def page_links(request: Request, next_cursor: str | None = None, *, parameter: str = "cursor") -> dict[str, str]:
    """Return None for a search (`q`): links would repeat the caller's words."""
    path, query = request.url.path, dict(request.query_params)
    if "q" in query:
        return {}
    pages = {"self": query} | ({"next": query | {parameter: next_cursor}} if next_cursor is not None else {})
    return {relation: f"{path}?{urlencode(each)}" if each else path for relation, each in pages.items()}


def json_bytes(body: BaseModel | Mapping[str, Any]) -> bytes:
    return body.model_dump_json().encode() if isinstance(body, BaseModel) else orjson.dumps(body)


def etag_of(content: bytes) -> str:
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def gzip_etag(etag: str) -> str:
    """Return the ETag of the compressed body, which must differ, as its bytes do (RFC 9110, section 8.8.3.3)."""
    return f'{etag[:-1]}-gzip"'


def matches_etag(headers: Sequence[str], etag: str, *, weakly: bool = False) -> bool:
    """Return True if an ETag is in `headers` of If-Match or If-None-Match. If `weakly`, `W/` is ignored."""
    tags = [tag.strip() for header in headers for tag in header.split(",")]
    if weakly:
        tags = [tag.removeprefix("W/") for tag in tags]
    return etag in tags or "*" in tags


def add_languages(response: Response, paths: Mapping[str, str]) -> None:
    """Add the paths to the Link header, by language tag."""
    links = [f'<{path}>; rel="alternate"; hreflang="{tag}"' for tag, path in paths.items()]
    response.headers["Link"] = ", ".join([*filter(None, [response.headers.get("Link")]), *links])


def link_header(links: Mapping[str, str]) -> str:
    return ", ".join(link_value(path, relation) for relation, path in links.items() if relation in REGISTERED_RELATIONS)


def link_value(path: str, relation: str, **attributes: str) -> str:
    """Return a value of a Link header. Other formats of the same content, such as `csv`, become `alternate`."""
    if relation in LINK_TYPES:
        attributes = {"type": LINK_TYPES[relation]} | attributes
    parameters = "".join(f'; {name}="{value}"' for name, value in attributes.items())
    name = "alternate" if relation in ALTERNATES else relation.replace("_", "-")
    return f'<{path}>; rel="{name}"{parameters}'


def download(content: str | bytes, name: str, media_type: str) -> Response:
    """Return a response that browsers save and do not show."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def sealed_file(sealed: bytes, name: str, counts: Mapping[str, int]) -> Response:
    """Return an encrypted file. `counts` become headers, which say what further can be fetched."""
    headers = {
        "Vary": "Accept",
        "Content-Disposition": f'attachment; filename="{name}.age"',
        **{name: str(count) for name, count in counts.items()},
    }
    return Response(sealed, media_type=AGE_MEDIA_TYPE, headers=headers)
