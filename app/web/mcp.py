"""The messages of the Model Context Protocol over HTTP, and the checks that the protocol demands of a server.

Two kinds of revision are served: the stateless one, in which every message names its revision, and those that begin
with a handshake. Source: the specification of 2026-07-28, "Streamable HTTP" and "Versioning and Compatibility".
"""

import base64
import binascii
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

STATELESS = "2026-07-28"
WITH_HANDSHAKE = ("2025-11-25", "2025-06-18", "2025-03-26")
WITHOUT_HEADER = "2025-03-26"
"""The revision of a message without the header: the last one that had none."""
SUPPORTED = (STATELESS, *WITH_HANDSHAKE)

REVISION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
SERVER_KEY = "io.modelcontextprotocol/serverInfo"
LONGEST_REVISION = 20
ENCODED, END_OF_ENCODED = "=?base64?", "?="
NAMED_CALL = "tools/call"


class ErrorCode(IntEnum):
    """Codes of JSON-RPC 2.0, and of the protocol."""

    INVALID_REQUEST = -32600
    METHOD_NOT_FOUND = -32601
    INVALID_PARAMS = -32602
    HEADER_MISMATCH = -32020
    UNSUPPORTED_REVISION = -32022


@dataclass
class McpError(Exception):
    """A message that is refused. `status` is the HTTP status of the answer."""

    code: ErrorCode
    message: str
    status: int = 400
    data: dict[str, Any] | None = None


@dataclass(frozen=True)
class McpHeaders:
    """The header fields that repeat parts of the message for proxies."""

    revision: str | None
    method: str | None
    name: str | None


@dataclass(frozen=True)
class McpMessage:
    """A request, or a notification: then `id` is None."""

    id: str | int | None
    method: str
    revision: str
    params: dict[str, Any] = field(default_factory=dict)

    @property
    def is_stateless(self) -> bool:
        """True if the message speaks the stateless revision."""
        return self.revision == STATELESS


def message_id(body: dict[str, Any]) -> str | int | None:
    """Return the id of the message, or None if it has none that can be used."""
    found = body.get("id")
    return found if isinstance(found, str | int) and not isinstance(found, bool) else None


def read_message(body: dict[str, Any], headers: McpHeaders) -> McpMessage:
    """Return the message. Raise `McpError` if it is none, or if it and the header fields differ."""
    method, params = body.get("method"), body.get("params", {})
    is_notification = "id" not in body
    if body.get("jsonrpc") != "2.0" or not isinstance(method, str) or not isinstance(params, dict):
        raise McpError(ErrorCode.INVALID_REQUEST, "Send one JSON-RPC 2.0 request: jsonrpc, id, method, params.")
    if not is_notification and message_id(body) is None:
        raise McpError(ErrorCode.INVALID_REQUEST, "The id must be a string or a whole number.")
    meta = params.get("_meta")
    declared = meta.get(REVISION_KEY) if isinstance(meta, dict) else None
    if declared is None and (headers.revision is None or headers.revision in WITH_HANDSHAKE):
        return McpMessage(message_id(body), method, headers.revision or WITHOUT_HEADER, params)
    if not is_notification:
        _check_stateless(headers, method, params, meta)
    return McpMessage(message_id(body), method, STATELESS, params)


def _check_stateless(headers: McpHeaders, method: str, params: dict[str, Any], meta: object) -> None:
    """Raise `McpError` unless the message says what it must, and its header fields say the same."""
    if headers.revision is None:
        raise _mismatch("MCP-Protocol-Version")
    if not isinstance(meta, dict) or not isinstance(meta.get(REVISION_KEY), str):
        raise McpError(ErrorCode.INVALID_PARAMS, f"The member _meta must have the text {REVISION_KEY}.")
    if not isinstance(meta.get(CAPABILITIES_KEY), dict):
        raise McpError(ErrorCode.INVALID_PARAMS, f"The member _meta must have the object {CAPABILITIES_KEY}.")
    if meta[REVISION_KEY] != headers.revision:
        raise _mismatch("MCP-Protocol-Version")
    if headers.revision != STATELESS:
        raise unsupported_revision(headers.revision)
    if headers.method != method:
        raise _mismatch("Mcp-Method")
    if method == NAMED_CALL and (headers.name is None or _decode(headers.name) != params.get("name")):
        raise _mismatch("Mcp-Name")


def unsupported_revision(requested: str) -> McpError:
    """Return the error that lists the revisions that are served."""
    data = {"supported": list(SUPPORTED), "requested": requested[:LONGEST_REVISION]}
    return McpError(ErrorCode.UNSUPPORTED_REVISION, "This revision of the protocol is not served.", data=data)


def _mismatch(name: str) -> McpError:
    return McpError(ErrorCode.HEADER_MISMATCH, f"The header field {name} is missing, or differs from the message.")


def _decode(value: str) -> str | None:
    """Return the header's value, decoded if it is marked as encoded; None if it cannot be decoded."""
    value = value.strip()
    if not (value.startswith(ENCODED) and value.endswith(END_OF_ENCODED)):
        return value
    try:
        return base64.b64decode(value[len(ENCODED) : -len(END_OF_ENCODED)], validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None
