"""Responses of public reads: a body with a strong ETag, Cache-Control and Link, or 304 if the client has the body."""

import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from pydantic import BaseModel

from app.age.keys import AGE_MEDIA_TYPE

Responses = dict[int | str, dict[str, Any]]
STALE_IF_ERROR_SECONDS = 604_800
"""How long a cache may serve an expired response while the service fails: one week.

The same limit applies to the response cache of this service.
"""
CACHE_CURRENT = f"public, max-age=60, stale-while-revalidate=600, stale-if-error={STALE_IF_ERROR_SECONDS}"
CACHE_CHECKED = "public, no-cache"
"""For a response that must never be out of date: a cache revalidates the response before each use."""
REUSED_FOR = dt.timedelta(seconds=660)
"""How long a cache may serve a response with `CACHE_CURRENT` while the service works.

The time is the sum of `max-age` and `stale-while-revalidate`.
"""
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
    body: BaseModel,
    *,
    caching: str = CACHE_CURRENT,
    more_links: Mapping[str, str] | None = None,
    more_headers: Headers | None = None,
) -> Response:
    """Return `body` as the JSON response of a public read, or 304 if If-None-Match matches the ETag of the response.

    The Link header has the links of `body` and `more_links`. `more_links` are only in the header, because they may
    change while the body must stay the same. `caching` is the value of Cache-Control. `more_headers` are added, and
    replace a header of the same name.
    """
    links = {**getattr(body, "links", {}), **(more_links or {})}
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
    """Return a response with `content`, or 304 with the same headers if If-None-Match matches the ETag of `content`.

    `links` go into the Link header, and `caching` into Cache-Control. `more_headers` are added, and replace a header of
    the same name.
    """
    headers = {"ETag": etag_of(content), "Cache-Control": caching, **(more_headers or {})}
    if links:
        headers["Link"] = link_header(links)
    if matches_etag(request.headers.getlist("if-none-match"), headers["ETag"], weakly=True):
        return Response(status_code=304, headers=headers)
    return Response(content, media_type=media_type, headers=headers)


def caching_until(changes_at: dt.datetime | None, now: dt.datetime, caching: str) -> Headers:
    """Return the caching headers of a response that is valid until `changes_at`. `caching` is a Cache-Control value.

    If `changes_at` is None, the response is valid without a limit: return only Cache-Control. Otherwise add `Expires`,
    which tells the response cache when to drop the response. `Expires` is `REUSED_FOR` before `changes_at`, so that no
    cache serves the response after `changes_at`. If `changes_at` is at most `REUSED_FOR` after `now`, `Expires` is
    `changes_at` itself, and caches must revalidate the response before each use.
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
    """Return the links of a page of a list: `self`, and `next` to the page at `next_cursor` if given.

    `parameter` is the query parameter that takes the cursor. Return no links for a search (the parameter `q`), because
    the links would repeat the caller's search terms.
    """
    path, query = request.url.path, dict(request.query_params)
    if "q" in query:
        return {}
    pages = {"self": query} | ({"next": query | {parameter: next_cursor}} if next_cursor is not None else {})
    return {relation: f"{path}?{urlencode(each)}" if each else path for relation, each in pages.items()}


def json_bytes(body: BaseModel) -> bytes:
    """Return `body` as JSON in UTF-8, exactly as the response has it."""
    return body.model_dump_json().encode()


def etag_of(content: bytes) -> str:
    """Return a strong ETag for `content`: the start of the SHA-256 in hexadecimal, in quotation marks."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def gzip_etag(etag: str) -> str:
    """Return the strong ETag for the gzip encoding of the content with the ETag `etag`.

    The encoded bytes differ from the content, so their ETag must differ too (RFC 9110, section 8.8.3.3).
    """
    return f'{etag[:-1]}-gzip"'


def matches_etag(headers: Sequence[str], etag: str, *, weakly: bool = False) -> bool:
    """Return True if a value in `headers` (If-Match or If-None-Match) lists `etag`, or is `*`.

    If `weakly`, ignore the prefix `W/` in `headers` (the weak comparison of RFC 9110, section 8.8.3.2).
    """
    tags = [tag.strip() for header in headers for tag in header.split(",")]
    if weakly:
        tags = [tag.removeprefix("W/") for tag in tags]
    return etag in tags or "*" in tags


def add_languages(response: Response, paths: Mapping[str, str]) -> None:
    """Add links to the same content in other languages to the Link header of `response`, after the present links.

    `paths` has the path of the content by language tag.
    """
    links = [f'<{path}>; rel="alternate"; hreflang="{tag}"' for tag, path in paths.items()]
    response.headers["Link"] = ", ".join([*filter(None, [response.headers.get("Link")]), *links])


def link_header(links: Mapping[str, str]) -> str:
    """Return the value of the Link header (RFC 8288) for `links`, which has the path for each relation.

    Leave out relations that no standard registers (see `REGISTERED_RELATIONS`).
    """
    return ", ".join(link_value(path, relation) for relation, path in links.items() if relation in REGISTERED_RELATIONS)


def link_value(path: str, relation: str, **attributes: str) -> str:
    """Return a link to `path` in the syntax of a Link header or of a TimeMap, with `attributes` as its parameters.

    A `relation` in `LINK_TYPES` also gives the link its media type, unless `attributes` has a `type`. Relations of
    other formats of the same content, such as `csv`, become `alternate`.
    """
    if relation in LINK_TYPES:
        attributes = {"type": LINK_TYPES[relation]} | attributes
    parameters = "".join(f'; {name}="{value}"' for name, value in attributes.items())
    name = "alternate" if relation in ALTERNATES else relation.replace("_", "-")
    return f'<{path}>; rel="{name}"{parameters}'


def sealed_file(sealed: bytes, name: str, counts: Mapping[str, int]) -> Response:
    """Return the encrypted file `sealed` as a download named `<name>.age`, with a header for each entry of `counts`.

    `counts` has the number of further entries that can be fetched, such as additions, by header name.
    """
    headers = {
        "Vary": "Accept",
        "Content-Disposition": f'attachment; filename="{name}.age"',
        **{name: str(count) for name, count in counts.items()},
    }
    return Response(sealed, media_type=AGE_MEDIA_TYPE, headers=headers)
