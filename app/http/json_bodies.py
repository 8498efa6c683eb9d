"""Strict reading of JSON bodies: no repeated names, no NaN or infinity, and limits on depth and size."""

import json
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from email.message import Message
from typing import Any

import jiter
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app.errors import ContentTooLarge, Problem, UnreadableBody, UnsupportedMediaType
from app.http.routes import GuidanceRequest, GuidanceRoute

MAX_NESTING = 32
LARGE_BODY_BYTES = 32_768  # a smaller body is parsed in less time than a thread takes to start
MAX_VALUES = 10_000
TOO_MANY = f"The body has more than {MAX_VALUES:,} values. Send less, or phone."
TOO_DEEP = f"The body is nested deeper than {MAX_NESTING} levels."
CONTAINERS = {dict, list}
NO_CHARACTER = "The body contains a NUL character or a lone surrogate, which cannot be stored."
NAME_TWICE = "An object in the body has the same name twice, so one value would be lost. Send each name once."
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # after an even number of backslashes, `\u0000` is a NUL
IDENTITY = "identity"
COMPRESSED = "The body is compressed or encoded. Send it as it is, without `Content-Encoding`."


class InvalidBody(HTTPException):
    def __init__(self, kind: type[Problem], detail: str) -> None:
        super().__init__(kind.status, detail)
        self.kind = kind


class JSONRoute(GuidanceRoute):
    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def read_strictly(request: Request) -> Response:
            strict = _StrictRequest(request.scope, request.receive)
            refuse_compressed(request)
            body_field = self.body_field
            if body_field is not None and not _is_json(request.headers.get("content-type", "")):
                is_absent = not body_field.field_info.is_required() and not await strict.body()
                if not is_absent:
                    raise InvalidBody(UnsupportedMediaType, UnsupportedMediaType.meaning)
            return await handle(strict)

        return read_strictly


def refuse_compressed(request: Request) -> None:
    if request.headers.get("content-encoding", IDENTITY).strip().lower() not in ("", IDENTITY):
        raise InvalidBody(UnsupportedMediaType, COMPRESSED)


class _StrictRequest(GuidanceRequest):
    async def json(self) -> Any:
        """A large body is parsed in a thread: others must not wait."""
        body = await self.body()
        return await run_in_threadpool(read_json, body) if len(body) > LARGE_BODY_BYTES else read_json(body)


def read_json(body: bytes) -> Any:
    """Parse a JSON body.

    Raise `InvalidBody`, without text of the body, if it is not JSON or exceeds a limit of this module. A repeated name,
    NUL, a lone surrogate and a number with too many digits are refused too.
    """
    with suppress(ValueError):  # its message may repeat the body
        value = jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="none")
        if rb"\u0000" in body and ESCAPED_NUL.search(body):
            raise InvalidBody(UnreadableBody, NO_CHARACTER)
        _check_shape(value)
        return value
    raise _error_of(body)


def _error_of(body: bytes) -> InvalidBody:
    try:
        value = json.loads(body.decode("utf-8"), object_pairs_hook=_each_name_once, parse_constant=_refuse_constant)
    except UnicodeDecodeError:
        return InvalidBody(UnreadableBody, "The body is not UTF-8.")
    except json.JSONDecodeError as error:
        return InvalidBody(
            UnreadableBody, f"The body is not valid JSON: see line {error.lineno}, column {error.colno}."
        )
    except RecursionError:
        return InvalidBody(UnreadableBody, TOO_DEEP)
    except ValueError:
        return InvalidBody(UnreadableBody, "A number in the body has too many digits.")
    _check_shape(value)
    return InvalidBody(UnreadableBody, NO_CHARACTER)  # a lone surrogate: Python's parser accepts it, jiter does not


def _is_json(content_type: str) -> bool:
    if content_type == "application/json":
        return True
    message = Message()
    message["content-type"] = content_type or "missing"
    return message.get_content_type() == "application/json" or message.get_content_subtype().endswith("+json")


def _each_name_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidBody(UnreadableBody, NAME_TWICE)
    return found


def _refuse_constant(_name: str) -> Any:
    raise InvalidBody(UnreadableBody, "NaN and Infinity are not JSON.")


def _check_shape(value: Any) -> None:
    count, depth = 1, 0
    level: list[Any] = [[value]]
    while level := [
        inner
        for outer in level
        for inner in (outer.values() if type(outer) is dict else outer)
        if type(inner) in CONTAINERS and inner
    ]:
        depth += 1
        count += sum(map(len, level))
        if count > MAX_VALUES:
            raise InvalidBody(ContentTooLarge, TOO_MANY)
        if depth > MAX_NESTING:
            raise InvalidBody(UnreadableBody, TOO_DEEP)
