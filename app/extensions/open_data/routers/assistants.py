"""The route for AI assistants: the Model Context Protocol over HTTP, with the checks that the protocol requires.

In the stateless revision every message names the revision; the older ones begin with a handshake. Source: the
specification of 2026-07-28, "Streamable HTTP" and "Versioning and Compatibility".
"""

import base64
import binascii
import json
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Body, Request, Response
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers

from app.build import VERSION
from app.config import NAME
from app.extensions.open_data import MCP
from app.extensions.open_data.services.assistants import TOOLS, Library, call_tool, tool_list
from app.http.auth import PUBLIC
from app.http.context import ContextDep, NowDep, SessionDep
from app.http.json_bodies import JSONRoute
from app.http.routes import GuidanceRouter

router = GuidanceRouter(dependencies=[PUBLIC], route_class=JSONRoute)
STATELESS = "2026-07-28"
WITH_HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26")
WITHOUT_HEADER = "2025-03-26"
"""The last revision that did not require the header."""
SUPPORTED = (STATELESS, *WITH_HANDSHAKE)
REVISION_HEADER = "MCP-Protocol-Version"
REVISION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_KEY = "io.modelcontextprotocol/serverInfo"
SERVER = {"name": "one-minute-guide", "title": NAME, "version": VERSION}
CAPABILITIES: dict[str, Any] = {"tools": {}}
CACHEABLE = {"ttlMs": 3_600_000, "cacheScope": "public"}
INSTRUCTIONS = (
    "A council's published safeguarding guidance, word for word. If a child is in immediate danger, say first: call "
    "999. Quote the words as they are, with the guide, the edition's number and the cautions. Do not conclude from "
    "them whether a child is at risk: no list says that, and nothing here may be counted or weighed. No tool takes a "
    "concern or an account of a child, so send no names and no stories. To raise a concern, give the numbers of "
    "who_to_call."
)
LONGEST_REVISION = 20
ENCODED, END_OF_ENCODED = "=?base64?", "?="


class ErrorCode(IntEnum):
    """Codes of JSON-RPC 2.0 and of the protocol."""

    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    HEADER_MISMATCH = -32020
    UNSUPPORTED_REVISION = -32022


@dataclass
class McpError(Exception):
    """An error of the protocol. `status` is the HTTP status; `data` has details for programs, or is None."""

    code: ErrorCode
    message: str
    status: int = 400
    data: dict[str, Any] | None = None


@router.post(MCP, include_in_schema=False)  # clients of the protocol read its description from the method tools/list
def send_mcp_message(
    request: Request,
    session: SessionDep,
    context: ContextDep,
    now: NowDep,
    body: Annotated[dict[str, Any], Body()],
) -> Response:
    """Return the response to one message of the protocol.

    The tools read published guidance: the current edition, a section, search, the changes between editions, and the
    numbers to call. Every result begins with 999, the cautions, and the edition with its digest. No tool takes a
    concern or an account of a child.
    """
    given = body.get("id")
    identified = {"id": given} if isinstance(given, str | int) and not isinstance(given, bool) else {}
    try:
        _check_origin(request, context.settings.public_url)
        is_stateless = _check_message(body, request.headers)
        if "id" not in body:  # a notification
            return Response(status_code=202)
        library = Library(
            session=session,
            contents=context.contents,
            reference_data=context.reference_data,
            public_url=context.settings.public_url,
            preferred_guide=context.settings.default_guide,
            signposts=context.emergency_contacts.current().signposts,
            on_duty=lambda who: context.duty_hours.teams(who, now).on_duty,
        )
        answer = _answer(body["method"], body.get("params", {}), library, is_stateless=is_stateless)
        return JSONResponse({"jsonrpc": "2.0", **identified, "result": answer})
    except McpError as refusal:
        error = {"code": refusal.code, "message": refusal.message} | ({"data": refusal.data} if refusal.data else {})
        return JSONResponse({"jsonrpc": "2.0", **identified, "error": error}, status_code=refusal.status)


def _check_origin(request: Request, public_url: str) -> None:
    """Refuse a page of another host: it could make its visitor's browser send messages to this service."""
    origin = request.headers.get("origin")
    own = (request.headers.get("host"), urlsplit(public_url).netloc)
    if origin is not None and origin.partition("://")[2] not in own:
        raise McpError(ErrorCode.INVALID_REQUEST, "A page of another origin may not send messages here.", status=403)


def _check_message(body: dict[str, Any], headers: Headers) -> bool:
    """Return True if the message uses the stateless revision. A notification is not checked further."""
    method, params, given = body.get("method"), body.get("params", {}), body.get("id")
    if body.get("jsonrpc") != "2.0" or not isinstance(method, str) or not isinstance(params, dict):
        raise McpError(ErrorCode.INVALID_REQUEST, "Send one JSON-RPC 2.0 request: jsonrpc, id, method, params.")
    if "id" in body and (isinstance(given, bool) or not isinstance(given, str | int)):
        raise McpError(ErrorCode.INVALID_REQUEST, "The id must be a string or a whole number.")
    meta = params.get("_meta")
    declared = meta.get(REVISION_KEY) if isinstance(meta, dict) else None
    if declared is None and headers.get(REVISION_HEADER, WITHOUT_HEADER) in WITH_HANDSHAKE:
        return False
    if "id" in body:
        _check_stateless(headers, method, params, meta)
    return True


def _check_stateless(headers: Headers, method: str, params: dict[str, Any], meta: object) -> None:
    """`meta` is the member `_meta` of `params`."""
    revision = headers.get(REVISION_HEADER)
    if revision is None:
        raise _mismatch(REVISION_HEADER)
    if not isinstance(meta, dict) or not isinstance(meta.get(REVISION_KEY), str):
        raise McpError(ErrorCode.INVALID_PARAMS, f"The member _meta must have the text {REVISION_KEY}.")
    if not isinstance(meta.get(CAPABILITIES_KEY), dict):
        raise McpError(ErrorCode.INVALID_PARAMS, f"The member _meta must have the object {CAPABILITIES_KEY}.")
    if meta[REVISION_KEY] != revision:
        raise _mismatch(REVISION_HEADER)
    if revision != STATELESS:
        data = {"supported": list(SUPPORTED), "requested": revision[:LONGEST_REVISION]}
        raise McpError(ErrorCode.UNSUPPORTED_REVISION, "This revision of the protocol is not served.", data=data)
    if headers.get("Mcp-Method") != method:
        raise _mismatch("Mcp-Method")
    if method == "tools/call" and _decode(headers.get("Mcp-Name")) != params.get("name", ""):
        raise _mismatch("Mcp-Name")


def _mismatch(name: str) -> McpError:
    return McpError(ErrorCode.HEADER_MISMATCH, f"The header field {name} is missing, or differs from the message.")


def _decode(value: str | None) -> str | None:
    """Decode base64 if `value` is marked so. Return None if it cannot be decoded."""
    value = value.strip() if value is not None else None
    if value is None or not (value.startswith(ENCODED) and value.endswith(END_OF_ENCODED)):
        return value
    try:
        return base64.b64decode(value[len(ENCODED) : -len(END_OF_ENCODED)], validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None


def _answer(method: str, params: dict[str, Any], library: Library, *, is_stateless: bool) -> dict[str, Any]:
    if method == "tools/list":
        result = CACHEABLE | {"tools": tool_list()}
    elif method == "tools/call":
        result = _call(params, library)
    elif method == "server/discover" and is_stateless:
        result = CACHEABLE | {
            "supportedVersions": list(SUPPORTED),
            "capabilities": CAPABILITIES,
            "instructions": INSTRUCTIONS,
        }
    elif method == "ping" and not is_stateless:
        result = {}
    elif method == "initialize" and not is_stateless:
        requested = params.get("protocolVersion")
        revision = requested if requested in WITH_HANDSHAKE else WITH_HANDSHAKE[0]
        named = {"serverInfo": SERVER, "instructions": INSTRUCTIONS}
        result = {"protocolVersion": revision, "capabilities": CAPABILITIES, **named}
    else:
        served = f"The revisions are {', '.join(SUPPORTED)}; only {STATELESS} has no handshake."
        raise McpError(ErrorCode.METHOD_NOT_FOUND, f"This method is not served. {served}", status=404)
    return {"resultType": "complete", **result, "_meta": {SERVER_KEY: SERVER}} if is_stateless else result


def _call(params: dict[str, Any], library: Library) -> dict[str, Any]:
    """Invalid arguments or a `Problem` become a result with `isError`: for errors that a model can correct."""
    name = params.get("name")
    tool = TOOLS.get(name) if isinstance(name, str) else None
    if tool is None:
        sentence = "There is no tool with this name. The method tools/list lists the tools."
        raise McpError(ErrorCode.INVALID_PARAMS, sentence)
    found, fault = call_tool(tool, params.get("arguments") or {}, library)
    if found is None:
        return {"content": [{"type": "text", "text": fault}], "isError": True}
    text = json.dumps(found, ensure_ascii=False)  # for clients that do not read `structuredContent`
    return {"content": [{"type": "text", "text": text}], "structuredContent": found, "isError": False}
