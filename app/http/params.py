"""Parameters of the routes, routers that refuse unknown ones, strict JSON bodies, and refusals simulated for tests."""

import json
import re
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from email.message import Message
from functools import cached_property
from typing import Annotated, Any, NamedTuple

import jiter
from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response, params
from fastapi.concurrency import run_in_threadpool
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params, request_body_to_args, request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

from app.errors import (
    ContentTooLarge,
    FieldError,
    InvalidConcern,
    NotFound,
    Problem,
    RateLimited,
    SeveralIdempotencyKeys,
    StoreBusy,
    UnreadableBody,
    UnsupportedMediaType,
)
from app.http.context import AppContext
from app.http.negotiation import JSON
from app.http.problem_handlers import problem_response
from app.http.problems import RESPONSES_OF_ALL_ROUTES
from app.models.base import MAX_NUMBER, SLUG_PATTERN
from app.models.code_lists import MAX_CODE_LENGTH
from app.models.concerns import Concern, SimulatedOutcome
from app.models.languages import MAX_TAG_LENGTH, TAG_PATTERN
from app.models.receipts import EXAMPLE_REFERENCE
from app.models.sections import Section
from app.services.clients import Principal
from app.services.cursors import encode_key
from app.services.editions import EditionKey, RenditionKey
from app.services.receipts import IdempotentResult

PLAIN = re.compile("0|[1-9][0-9]*")


def _check_plain_digits(value: Any) -> Any:
    if isinstance(value, str) and not PLAIN.fullmatch(value):
        raise PydanticCustomError("int_parsing", "not in plain digits")
    return value


IN_PLAIN_DIGITS = BeforeValidator(_check_plain_digits)
"""For integers in paths and queries: `1.0`, `+1` and `01` are not other names for `1`.

Put it last in a parameter's annotations: bounds after it would be missing from the JSON Schema.
"""
Limit = Annotated[
    int, Query(ge=1, le=200, description="Maximum number of entries per page.", examples=[50]), IN_PLAIN_DIGITS
]
Cursor = Annotated[
    str | None,
    Query(max_length=400, description="`next_cursor` of the previous page.", examples=["NTA"]),
]


GuideName = Annotated[
    str, Path(pattern=SLUG_PATTERN, max_length=80, description="The guide.", examples=["child-sexual-exploitation"])
]


def _number(description: str) -> Any:
    return Path(ge=1, le=MAX_NUMBER, description=description, examples=[1])


EditionNumber = Annotated[int, _number("The edition's number."), IN_PLAIN_DIGITS]
LanguageName = Annotated[
    str, Path(pattern=TAG_PATTERN, max_length=MAX_TAG_LENGTH, description="The language (BCP 47).", examples=["cy"])
]
RenditionNumber = Annotated[int, _number("The rendition's number."), IN_PLAIN_DIGITS]
SectionName = Annotated[Section, Path(description="The section.", examples=["indicators"])]


class RenditionName(NamedTuple):
    """The latest rendition of a guide in a language."""

    guide: str
    language: str


async def edition_key(guide: GuideName, number: EditionNumber) -> EditionKey:
    """Read the path of a numbered edition. This and the next are `async` so that they need no thread."""
    return EditionKey(guide, number)


async def rendition_name(guide: GuideName, language: LanguageName) -> RenditionName:
    """Read the path of a guide in another language."""
    return RenditionName(guide, language)


async def rendition_key(guide: GuideName, language: LanguageName, number: RenditionNumber) -> RenditionKey:
    """Read the path of a numbered rendition."""
    return RenditionKey(guide, language, number)


EditionKeyDep = Annotated[EditionKey, Depends(edition_key)]
RenditionNameDep = Annotated[RenditionName, Depends(rendition_name)]
RenditionKeyDep = Annotated[RenditionKey, Depends(rendition_key)]
AboutSubject = Annotated[
    str | None,
    Query(
        pattern=r"^[a-z0-9]+(?:_[a-z0-9]+)*$",
        max_length=MAX_CODE_LENGTH,
        description="Only guides about this subject: a code of the list `subject`.",
        examples=["child_sexual_exploitation"],
    ),
]


def item_name(section: Section) -> Any:
    """Return the path parameter of an item of the section, with the id of its first item as the example."""
    example = section.entry.item.model_fields["id"].examples[0]  # type: ignore[index]  # every id has an example
    return Path(pattern=SLUG_PATTERN, max_length=80, description="The item's id.", examples=[example])


GuideCursor = Annotated[Cursor, Query(examples=[encode_key("child-sexual-exploitation")])]
TypedReference = Annotated[
    str, Path(max_length=40, description="The reference, in any case and grouping.", examples=[EXAMPLE_REFERENCE])
]
AdditionNumber = Annotated[int, _number("Number of the addition, from 1."), IN_PLAIN_DIGITS]
NoteNumber = Annotated[int, _number("Number of the note, from 1."), IN_PLAIN_DIGITS]
ConcernReference = Annotated[
    str, Path(max_length=40, description="The concern's reference.", examples=[EXAMPLE_REFERENCE])
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r'^("[\x21\x23-\x7e]+"|[\x21\x23-\x7e]+)$',
        description="A new random key, such as a UUID, for each concern (draft-ietf-httpapi-idempotency-key-header). "
        "A retry "
        "with the same key and content returns the first receipt and creates no second concern.",
        examples=["5d2f0c8e-7a8f-4e0e-9d55-0f7a3c0a9b11"],
    ),
    AfterValidator(lambda key: key and key.strip('"')),  # a structured field has quotes
]


def expect_one_key_at_most(request: Request) -> None:
    """Refuse a request with two idempotency keys. Raises `SeveralIdempotencyKeys`."""
    if len(request.headers.getlist("idempotency-key")) > 1:
        raise SeveralIdempotencyKeys


def created_response(result: IdempotentResult, location: str) -> Response:
    """Return 201 with the receipt. A header says if it is that of an earlier, identical request."""
    headers = {"Location": location}
    if result.is_replay:
        headers["Idempotency-Replayed"] = "true"
    return Response(result.receipt, status_code=201, media_type=JSON, headers=headers)


NUL = "\x00"


async def ignore_unknown_query() -> None:
    """Mark a route that ignores unknown parameters, as clients of its standard expect."""


UNKNOWN_IGNORED = Depends(ignore_unknown_query)


async def reject_unknown_query(request: Request, route: APIRoute) -> None:
    """Raise `RequestValidationError` for a parameter that the route does not have, is given twice, or has a NUL.

    The error also has every other fault of the parameters, and of a body that can be read, so that a caller meets all
    in one round.
    """
    not_in_query = (params.Path, params.Header, params.Cookie)  # the fields of a model have no kind
    known = {each.alias for each in get_flat_params(route.dependant) if not isinstance(each.field_info, not_in_query)}
    ignored = any(dependency.call is ignore_unknown_query for dependency in route.dependant.dependencies)
    received = request.query_params.multi_items()
    errors = _errors_of_names([name for name, _ in received], known, ignored=ignored)
    errors += [{"type": "nul_in_parameter", "loc": ("query",)}] if any(NUL in value for _, value in received) else []
    if errors:
        raise RequestValidationError([*errors, *await _other_errors(request, route)])


def _errors_of_names(names: list[str], known: set[str], *, ignored: bool) -> list[Any]:
    """Return an error for the unknown names, which are not repeated, and one for each that is there twice."""
    errors: list[Any] = []
    if not ignored and any(name not in known for name in names):
        hint = f"This path knows: {', '.join(sorted(known))}." if known else "This path knows none."
        errors.append({"type": "unknown_parameter", "loc": ("query",), "ctx": {"hint": hint}})
    twice = sorted(name for name, count in Counter(names).items() if name in known and count > 1)
    return errors + [{"type": "repeated_parameter", "loc": ("query", name)} for name in twice]


async def _other_errors(request: Request, route: APIRoute) -> list[Any]:
    """Return the faults that FastAPI finds in the other parameters, and in the body."""
    errors: list[Any] = []
    for dependant in _all_of(route.dependant):
        errors += request_params_to_args(dependant.path_params, request.path_params)[1]
        errors += request_params_to_args(dependant.query_params, request.query_params)[1]
        errors += request_params_to_args(dependant.header_params, request.headers)[1]
    if route.body_field is not None:
        with suppress(HTTPException):  # a body that cannot be read has a problem of its own, in the next round
            body = await request.json()
            errors += (await request_body_to_args(route.dependant.body_params, body, embed_body_fields=False))[1]
    return errors


def _all_of(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _all_of(each)


class GuidanceRequest(Request):
    """A request whose cookies are read in linear time. FastAPI reads them for every route.

    Quotes are taken off, and nothing in them is decoded: no cookie of ours needs that, and it takes older versions of
    Python the square of the length.
    """

    @cached_property
    def cookies(self) -> dict[str, str]:
        """The value of each cookie; of several with one name the last."""
        pairs = (each.partition("=") for field in self.headers.getlist("cookie") for each in field.split(";"))
        return {name.strip(): value.strip().strip('"') for name, _, value in pairs}


class GuidanceRoute(APIRoute):
    """A route that refuses unknown and repeated query parameters, and a NUL in its path.

    PostgreSQL has no text with a NUL, so nothing is found by one.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, which looks at the query first."""
        handle = super().get_route_handler()

        async def handle_known_query(request: Request) -> Response:
            if not isinstance(request, GuidanceRequest):
                request = GuidanceRequest(request.scope, request.receive)
            if NUL in request.scope["path"]:
                raise NotFound
            if request.scope["query_string"]:
                await reject_unknown_query(request, self)
            return await handle(request)

        return handle_known_query


class GuidanceRouter(APIRouter):
    """Router whose routes refuse unknown query parameters, and have the names of their functions."""

    def __init__(self, **options: Any) -> None:
        options = {"responses": RESPONSES_OF_ALL_ROUTES, "route_class": GuidanceRoute, **options}
        super().__init__(generate_unique_id_function=lambda route: route.name, **options)


MAX_NESTING = 32
LARGE_BODY_BYTES = 32_768  # a smaller body is parsed in less time than a thread takes to start
MAX_VALUES = 10_000
TOO_MANY = f"A body may have {MAX_VALUES:,} values. Send less, or telephone."
TOO_DEEP = f"The body is nested deeper than {MAX_NESTING} levels."
CONTAINERS = {dict, list}
NO_CHARACTER = "The body contains a NUL character or a lone surrogate, which cannot be stored."
NAME_TWICE = "A name stands twice in one object of the body, so one of its values would be lost."
ESCAPED_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")  # after an even number of backslashes, `\u0000` is a NUL
IDENTITY = "identity"
COMPRESSED = "The body is compressed or encoded. Send it as it is, without `Content-Encoding`."


class InvalidBody(HTTPException):
    """The body cannot be read. `kind` is the type of the problem."""

    def __init__(self, kind: type[Problem], detail: str) -> None:
        super().__init__(kind.status, detail)
        self.kind = kind


class JSONRoute(GuidanceRoute):
    """A route whose body is read strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, with a request that reads its body strictly."""
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
    """Raise `InvalidBody` for a body that is sent in another form than its own (RFC 9110, section 8.4)."""
    if request.headers.get("content-encoding", IDENTITY).strip().lower() not in ("", IDENTITY):
        raise InvalidBody(UnsupportedMediaType, COMPRESSED)


class _StrictRequest(GuidanceRequest):
    async def json(self) -> Any:
        """Return the parsed body. A large one is parsed in a thread, so that other requests do not wait."""
        body = await self.body()
        return await run_in_threadpool(read_json, body) if len(body) > LARGE_BODY_BYTES else read_json(body)


def read_json(body: bytes) -> Any:
    """Return the JSON value. Raise `InvalidBody` with a sentence that holds no part of the body."""
    with suppress(ValueError):  # its message may repeat the body
        value = jiter.from_json(body, allow_inf_nan=False, catch_duplicate_keys=True, cache_mode="none")
        if rb"\u0000" in body and ESCAPED_NUL.search(body):
            raise InvalidBody(UnreadableBody, NO_CHARACTER)
        _check_shape(value)
        return value
    raise _error_of(body)


def _error_of(body: bytes) -> InvalidBody:
    """Return the error that says why jiter does not read the body, with the line and column from Python's parser."""
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
    return InvalidBody(UnreadableBody, NO_CHARACTER)  # the only other thing that Python reads and jiter does not


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
    """Raise `InvalidBody` for more values, or more levels of nesting, than any model here can have."""
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


SimulatedOutcomeQuery = Annotated[
    SimulatedOutcome,
    Query(
        description="For a test: `busy` returns 503, `too_many` 429 and `refused` 422. Nothing is stored. Requires a "
        "test key.",
        examples=["accepted"],
    ),
]
NO_SIMULATION = FieldError((), "A simulated outcome needs a test key.", source="query", parameter="test_outcome")
SIMULATED_FAULT = FieldError(("concern", "narrative"), "This refusal was requested by the test.")
SIMULATED_WAIT_SECONDS = "5"


def simulate(
    request: Request, context: AppContext, submission: Concern, submitter: Principal, outcome: SimulatedOutcome
) -> Response:
    """Refuse a test as it requests, after the same validation as ever. Nothing is stored."""
    if not submitter.for_tests:
        raise InvalidConcern([NO_SIMULATION])
    context.submissions.check(submission, for_tests=submitter.for_tests, at=context.clock())
    if outcome is SimulatedOutcome.BUSY:
        raise StoreBusy
    if outcome is SimulatedOutcome.REFUSED:
        raise InvalidConcern([SIMULATED_FAULT])
    return problem_response(request, RateLimited, headers={"Retry-After": SIMULATED_WAIT_SECONDS})
