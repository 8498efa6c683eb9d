"""Bodies are read strictly: one JSON object in UTF-8, every name once, no NUL, so that no word is lost in silence."""

import json
import re
from collections.abc import Callable, Coroutine
from email.message import Message
from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from app.web.problem_types import NOT_JSON, TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, ProblemType

DEEPEST = 32
LARGE = 32_768  # bytes; a smaller one is parsed in less time than a thread takes to begin
MOST_VALUES = 10_000
TOO_MANY = f"A body may have {MOST_VALUES:,} values. Send less, or telephone."
TOO_DEEP = f"The body is nested deeper than {DEEPEST} levels."
CANNOT_BE_KEPT = re.compile("[\x00\ud800-\udfff]")


class InvalidBody(HTTPException):
    """The body cannot be read; `kind` says why."""

    def __init__(self, kind: ProblemType, detail: str) -> None:
        super().__init__(kind.status, detail)
        self.kind = kind


class JSONRoute(APIRoute):
    """A route whose body is read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, given a request that reads its body strictly."""
        handle = super().get_route_handler()

        async def read_strictly(request: Request) -> Response:
            if self.body_field is not None and not _is_json(request.headers.get("content-type", "")):
                raise InvalidBody(UNSUPPORTED_MEDIA_TYPE, UNSUPPORTED_MEDIA_TYPE.meaning)
            return await handle(_StrictRequest(request.scope, request.receive))

        return read_strictly


class _StrictRequest(Request):
    async def json(self) -> Any:
        """The body, parsed: a large one off the event loop, which has other requests to serve."""
        body = await self.body()
        return await run_in_threadpool(read_json, body) if len(body) > LARGE else read_json(body)


def read_json(body: bytes) -> Any:
    """The JSON value; raises `InvalidBody` with a sentence, and no part of the body, where it is not readable."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise InvalidBody(NOT_JSON, "The body is not UTF-8.") from None
    try:
        value = json.loads(text, object_pairs_hook=_each_name_once, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise InvalidBody(NOT_JSON, f"The body is not JSON: see line {error.lineno}, column {error.colno}.") from None
    except RecursionError:
        raise InvalidBody(NOT_JSON, TOO_DEEP) from None
    except ValueError:
        raise InvalidBody(NOT_JSON, "A number in the body has too many digits.") from None
    _Walk().check(value, depth=0)
    return value


def _is_json(content_type: str) -> bool:
    message = Message()
    message["content-type"] = content_type or "missing"
    return message.get_content_type() == "application/json" or message.get_content_subtype().endswith("+json")


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidBody(
            NOT_JSON, "A name stands twice in one object of the body, so one of its values would be lost."
        )
    for name in found:
        _check_characters(name)
    return found


def _refuse_constant(_name: str) -> Any:
    raise InvalidBody(NOT_JSON, "NaN and Infinity are not JSON.")


class _Walk:
    """A walk through a parsed body, which ends where there are more values than anything here can be made of."""

    def __init__(self) -> None:
        self._values = 0

    def check(self, value: Any, *, depth: int) -> None:
        """Look at the value and at all that is in it. Raises `InvalidBody`."""
        self._values += 1
        if self._values > MOST_VALUES:
            raise InvalidBody(TOO_LARGE, TOO_MANY)
        if depth > DEEPEST:
            raise InvalidBody(NOT_JSON, TOO_DEEP)
        if isinstance(value, str):
            _check_characters(value)
        elif isinstance(value, dict | list):
            for member in value.values() if isinstance(value, dict) else value:
                self.check(member, depth=depth + 1)


def _check_characters(text: str) -> None:
    if CANNOT_BE_KEPT.search(text):
        raise InvalidBody(NOT_JSON, "The body holds a NUL or half a character (a lone surrogate): neither can be kept.")
