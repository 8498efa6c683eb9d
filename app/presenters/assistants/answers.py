"""The answers to the protocol's methods."""

import json
from typing import Any

from pydantic import ValidationError

from app.about import NAME, VERSION
from app.errors import GuidanceError
from app.presenters.assistants.descriptions import tool_list
from app.presenters.assistants.library import Library
from app.presenters.assistants.tools import TOOLS, Tool
from app.web.mcp import SERVER_KEY, STATELESS, SUPPORTED, WITH_HANDSHAKE, ErrorCode, McpError, McpMessage
from app.web.problem_types import PROBLEM_FOR

HOUR_IN_MILLISECONDS = 3_600_000
SERVER = {"name": "one-minute-guide", "title": NAME, "version": VERSION}
CAPABILITIES: dict[str, Any] = {"tools": {}}
INSTRUCTIONS = (
    "A council's published safeguarding guidance, word for word. If a child is in immediate danger, say first: call "
    "999. Quote the words as they are, with the guide, the edition's number and the cautions. Do not conclude from "
    "them whether a child is at risk: no list says that, and nothing here may be counted or weighed. No tool takes a "
    "concern or an account of a child, so send no names and no stories. To raise a concern, give the numbers of "
    "who_to_call."
)
NO_TOOL = "There is no tool of this name. The method tools/list gives the tools."
WRONG_ARGUMENTS = "The arguments cannot be used: {faults}. The tool's inputSchema says what it takes."


def answer(message: McpMessage, library: Library) -> dict[str, Any]:
    """Return the result of the request. Raise `McpError` if its method is not served."""
    if message.method == "tools/list":
        result = _cacheable({"tools": tool_list()})
    elif message.method == "tools/call":
        result = _call(message.params, library)
    elif message.is_stateless:
        if message.method != "server/discover":
            raise _no_method()
        result = _cacheable(
            {"supportedVersions": list(SUPPORTED), "capabilities": CAPABILITIES, "instructions": INSTRUCTIONS}
        )
    else:
        return _handshake(message)
    if message.is_stateless:
        result = {"resultType": "complete", **result, "_meta": {SERVER_KEY: SERVER}}
    return result


def _handshake(message: McpMessage) -> dict[str, Any]:
    """Return the result of a method that only the revisions with a handshake have."""
    if message.method == "ping":
        return {}
    if message.method != "initialize":
        raise _no_method()
    requested = message.params.get("protocolVersion")
    return {
        "protocolVersion": requested if requested in WITH_HANDSHAKE else WITH_HANDSHAKE[0],
        "capabilities": CAPABILITIES,
        "serverInfo": SERVER,
        "instructions": INSTRUCTIONS,
    }


def _no_method() -> McpError:
    sentence = (
        f"This method is not served. The revisions are {', '.join(SUPPORTED)}; only {STATELESS} has no handshake."
    )
    return McpError(ErrorCode.METHOD_NOT_FOUND, sentence, status=404)


def _cacheable(result: dict[str, Any]) -> dict[str, Any]:
    return result | {"ttlMs": HOUR_IN_MILLISECONDS, "cacheScope": "public"}


def _call(params: dict[str, Any], library: Library) -> dict[str, Any]:
    """Return the tool's result. What a model can put right is a result that says so, as the protocol wants it."""
    name, arguments = params.get("name"), params.get("arguments") or {}
    tool = TOOLS.get(name) if isinstance(name, str) else None
    if tool is None:
        raise McpError(ErrorCode.INVALID_PARAMS, NO_TOOL)
    try:
        found = tool.read(library, tool.arguments.model_validate(arguments))
    except ValidationError as error:
        return _failure(WRONG_ARGUMENTS.format(faults=_faults(error, tool)))
    except GuidanceError as error:
        return _failure(PROBLEM_FOR[type(error)].meaning)
    structured = found.model_dump(mode="json")
    text = json.dumps(structured, ensure_ascii=False)  # for programs that do not read structuredContent
    return {"content": [{"type": "text", "text": text}], "structuredContent": structured, "isError": False}


def _faults(error: ValidationError, tool: Tool) -> str:
    """Return the names of the arguments at fault. Of a name that is unknown, only that there is one."""
    known = tool.arguments.model_fields
    names = {str(each["loc"][0]) if each["loc"] else "" for each in error.errors(include_input=False)}
    return ", ".join(sorted(names & set(known))) or "one of them is not known"


def _failure(sentence: str) -> dict[str, Any]:
    return {"content": [{"type": "text", "text": sentence}], "isError": True}
