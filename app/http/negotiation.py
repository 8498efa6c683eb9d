"""The representations of guides and sections, chosen by the Accept header or by the suffix of the path."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal

from fastapi import Query, Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Scope

from app.http.exchange import Exchange
from app.http.preferred_languages import VARIES_BY_LANGUAGE, quality_in
from app.http.responses import CACHE_CURRENT, Responses, conditional_response
from app.models.base import EXAMPLE_DIGEST
from app.models.guides.sections import Section

JSON = "application/json"
NUMBERED = r"/editions/[0-9]+"
RENDERED = r"/renditions/[a-zA-Z0-9-]+(?:/[0-9]+)?"
PDF_TYPE = "application/pdf"
AS_PDF: Responses = {
    200: {"content": {PDF_TYPE: {"schema": {"type": "string", "format": "binary"}, "example": "%PDF-1.7 ..."}}}
}
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ByteOrderMark = Annotated[
    Literal["0", "1"],
    Query(description="`1` adds a UTF-8 byte order mark, so that spreadsheets recognise the encoding.", examples=["1"]),
]


@dataclass(frozen=True)
class Representation:
    """A representation of a resource other than JSON."""

    media_type: str
    parameters: str
    suffix: str
    """Follows the path of the JSON response."""
    paths: re.Pattern[str]
    """Paths that have it beside JSON. The group `chosen` names an edition or a rendition."""
    example: str

    @property
    def content_type(self) -> str:
        return f"{self.media_type}; {self.parameters}"

    @property
    def documented(self) -> Responses:
        return {200: {"content": {self.media_type: {"schema": {"type": "string"}, "example": self.example}}}}


MARKDOWN = Representation(
    "text/markdown",
    "charset=utf-8; variant=CommonMark",
    suffix=".md",
    paths=re.compile(rf"/v1/guides/[a-z0-9-]+(?P<chosen>{NUMBERED}|{RENDERED})?"),
    example="# ‘One Minute Guide’ to Child Sexual Exploitation (CSE)\n\n"
    "> **Police, in an emergency: call [999](tel:999).** Call if a child or anyone else is in immediate danger.\n",
)

CSV = Representation(
    "text/csv",
    "charset=utf-8; header=present",
    suffix=".csv",
    paths=re.compile(rf"/v1/guides/[a-z0-9-]+(?P<chosen>{NUMBERED})?/({'|'.join(Section)})"),
    example="guide,edition,digest,id,position,text,kind,note,related_codes,related_codes_basis,caution_1\r\n"
    f"child-sexual-exploitation,1,{EXAMPLE_DIGEST},secrecy,2,"
    '"Secrecy about whereabouts, friendships, significant relationships and/or new possessions",'
    "potential_indicator,,,,Absence of any of the potential indicators of CSE does not mean that a child is not "
    "experiencing abuse and exploitation.\r\n",
)

REPRESENTATIONS = (MARKDOWN, CSV)

AS_MARKDOWN = MARKDOWN.documented

AS_CSV = CSV.documented


def csv_response(
    request: Request,
    sheet: bytes,
    file_name: str,
    *,
    bom: str,
    caching: str = CACHE_CURRENT,
    links: Mapping[str, str] | None = None,
) -> Response:
    """Return the CSV. If `bom` is `1`, a UTF-8 byte order mark comes first."""
    content = BYTE_ORDER_MARK + sheet if bom == "1" else sheet
    headers = {"Content-Disposition": f'inline; filename="{file_name}"'}
    return conditional_response(
        request, content, media_type=CSV.content_type, caching=caching, links=links or {}, more_headers=headers
    )


async def choose_format(exchange: Exchange) -> None:
    """Add a format's suffix to the path if Accept prefers it to JSON, and Vary and Content-Location to the response."""
    scope = exchange.scope
    if scope["method"] != "GET" or scope["query_string"] or (representation := _representation_at(scope)) is None:
        return
    accept = ",".join(Headers(scope=scope).getlist("accept"))
    is_preferred = quality(representation.media_type, accept) > quality(JSON, accept)
    varies_by = ["Accept", *(["Accept-Language"] if VARIES_BY_LANGUAGE.fullmatch(scope["path"]) else [])]
    if is_preferred:
        scope["path"] += representation.suffix
        scope["raw_path"] = scope["path"].encode()
    exchange.changes.append(partial(_add_vary, varies_by, scope["path"] if is_preferred else None))


def quality(media_type: str, accept: str) -> float:
    """Return the quality of the most specific range that matches (RFC 9110, section 12.5.1), or 0."""
    ranges = ("*/*", media_type.partition("/")[0] + "/*", media_type)  # from the widest to the narrowest
    best = (-1, 0.0)
    for media_range in accept.lower().split(","):
        name, *parameters = (word.strip() for word in media_range.split(";"))
        if name in ranges:
            best = max(best, (ranges.index(name), quality_in(parameters)))
    return best[1]


def _representation_at(scope: Scope) -> Representation | None:
    """Return None for a request that may be for a past time (Accept-Datetime; a query too): it is redirected first."""
    for representation in REPRESENTATIONS:
        match = representation.paths.fullmatch(scope["path"])
        if match:
            is_for_another_time = not match["chosen"] and "accept-datetime" in Headers(scope=scope)
            return None if is_for_another_time else representation
    return None


async def _add_vary(varies_by: Iterable[str], path: str | None, start: Message) -> None:
    headers = MutableHeaders(raw=start["headers"])
    present = re.split(r"[,\s]+", headers.get("vary", "").lower())
    for name in varies_by:
        if name.lower() not in present:
            headers.add_vary_header(name)
    if path is not None:
        headers["Content-Location"] = path
