"""The route for assistants: the guidance as tools of the Model Context Protocol."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Body, Header, Request, Response
from fastapi.responses import JSONResponse

from app.models.links import MCP
from app.presenters.assistants.answers import answer
from app.presenters.assistants.library import Library
from app.web.auth import PUBLIC
from app.web.context import ContextDep, SessionDep
from app.web.json_body import JSONRoute
from app.web.mcp import ErrorCode, McpError, McpHeaders, message_id, read_message
from app.web.router import GuidanceRouter

router = GuidanceRouter(dependencies=[PUBLIC], route_class=JSONRoute)

FOREIGN_ORIGIN = "A page of another origin may not send messages here."
NOTIFICATION_TAKEN = 202
MAX_HEADER = 200


@router.post(MCP, include_in_schema=False)  # the protocol describes itself: the method tools/list
def send_mcp_message(
    *,
    request: Request,
    session: SessionDep,
    context: ContextDep,
    body: Annotated[dict[str, Any], Body()],
    mcp_protocol_version: Annotated[str | None, Header(max_length=MAX_HEADER)] = None,
    mcp_method: Annotated[str | None, Header(max_length=MAX_HEADER)] = None,
    mcp_name: Annotated[str | None, Header(max_length=MAX_HEADER)] = None,
) -> Response:
    """Answer one message of the protocol.

    The tools read published guidance: the current edition, a section, search, the changes between editions, and the
    numbers to call. Every result begins with 999, the cautions, and the edition with its
    digest. No tool takes a concern or an account of a child.
    """
    try:
        _check_origin(request, context.settings.public_url)
        message = read_message(body, McpHeaders(mcp_protocol_version, mcp_method, mcp_name))
        if "id" not in body:
            return Response(status_code=NOTIFICATION_TAKEN)
        settings, signposts = context.settings, context.reference_data.signposts
        library = Library(session, context.contents, signposts, settings.public_url, settings.default_guide)
        return JSONResponse({"jsonrpc": "2.0", "id": message.id, "result": answer(message, library)})
    except McpError as refusal:
        return _refuse(refusal, message_id(body))


def _check_origin(request: Request, public_url: str) -> None:
    """Raise `McpError` for the page of another origin, which a browser would let speak for the person at it."""
    origin = request.headers.get("origin")
    own = (request.headers.get("host"), urlsplit(public_url).netloc)
    if origin is not None and urlsplit(origin).netloc not in own:
        raise McpError(ErrorCode.INVALID_REQUEST, FOREIGN_ORIGIN, status=403)


def _refuse(refusal: McpError, request_id: str | int | None) -> Response:
    error = {"code": refusal.code, "message": refusal.message} | ({"data": refusal.data} if refusal.data else {})
    identified = {} if request_id is None else {"id": request_id}
    return JSONResponse({"jsonrpc": "2.0", **identified, "error": error}, status_code=refusal.status)
