"""Base classes of the models, and small types that many models share."""

import base64
import datetime as dt
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import jiter
import orjson
from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    JsonValue,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema
from sqlalchemy import DateTime, Dialect, Index, text
from sqlalchemy.types import TypeDecorator
from typing_extensions import TypeAliasType

from app.errors import CodedValueError, FaultCode

NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
SLUG_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
Slug = Annotated[
    str,
    StringConstraints(pattern=SLUG_PATTERN, max_length=80),
    Field(description="Lower-case words joined by hyphens. Stable across editions."),
]
GuideName = TypeAliasType(
    "GuideName", Annotated[Slug, Field(description="The guide.", examples=["child-sexual-exploitation"])]
)
NextCursor = TypeAliasType(
    "NextCursor",
    Annotated[str | None, Field(description="Cursor of the next page; null on the last page.", examples=[None])],
)
MAX_TEXT_LENGTH = 4000
Text = Annotated[str, StringConstraints(min_length=1, max_length=MAX_TEXT_LENGTH)]
MAX_NUMBER = 1_000_000
MAX_ITEMS = 500
"""Of one list of an edition. Even 500 complete entries stay below the limit of 10,000 JSON values in a request."""
EXAMPLE_DIGEST = "sha256:a5129e4eb899eb9761fcc041e91847544b4a1ab7d8694f456b328b5c056593e9"
"""Digest of the first edition of the shipped guide."""
EXAMPLE_RENDITION_DIGEST = "sha256:04e6a02406737946d701dbedf3b57aa730ef6330e53b0423e1eb4980acdefcfe"
FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_web_address: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)
GssCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][0-9]{8}$", max_length=9),
    Field(description="Government Statistical Service code of the area.", examples=["E06000022"]),
]
OnStep = Callable[[int, int], None]
"""Called with the steps done and the total."""


def parse_json(text: str | bytes) -> Any:
    """Parse JSON.

    Raise `ValueError` also for nesting below 200 levels, where the standard library raises `RecursionError`.
    """
    return jiter.from_json(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)


def expect_each_once(values: Sequence[str], detail: str) -> None:
    """Expect each value once. Raise `CodedValueError` with the sentence `detail`."""
    if len(set(values)) != len(values):
        raise CodedValueError(FaultCode.DUPLICATE_ID, detail)


class RequestModel(BaseModel):
    """Unknown fields are errors, so that text in a misspelt field is not lost silently."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ResponseModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _parse_full_date(value: object) -> object:
    if type(value) is dt.date:
        return value
    try:
        if not isinstance(value, str) or not FULL_DATE.fullmatch(value):
            raise ValueError
        return dt.date.fromisoformat(value)
    except ValueError:
        raise CodedValueError(FaultCode.NOT_A_DATE, "must be a full date such as 2026-11-24") from None


# Without this check, Pydantic would read a number as seconds since 1970 and return a wrong date.
FullDate = Annotated[dt.date, BeforeValidator(_parse_full_date)]


def _check_web_address(address: str) -> str:
    try:
        _web_address.validate_python(address)
    except ValidationError:
        raise CodedValueError(FaultCode.NOT_AN_ADDRESS, "must be an http or https address") from None
    return address


WebAddress = Annotated[
    str,
    StringConstraints(max_length=2000),
    AfterValidator(_check_web_address),
    Field(
        description="http or https URL, stored as written.",
        examples=["https://council.example/request-for-service"],
        json_schema_extra={"format": "uri"},
    ),
]


def counted(number: int, one: str, many: str = "") -> str:
    """Return `1 concern` or `2 concerns`; `many` is a plural that is not `one` with an s."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def format_utc(moment: dt.datetime) -> str:
    """Return RFC 3339, ending in Z, with microseconds only if they are not zero."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


UtcDateTime = Annotated[
    AwareDatetime,
    PlainSerializer(format_utc, return_type=str, when_used="json"),
    Field(
        description="A moment in UTC, ending in Z (RFC 3339).",
        examples=["2026-11-24T09:30:00Z"],
        json_schema_extra={"format": "date-time"},
    ),
]


def without_default(schema: dict[str, Any]) -> None:
    """Remove the default of a field that is left out of the JSON if it has no value, and is never null."""
    schema.pop("default", None)


@dataclass(frozen=True)
class FromCodeList:
    """The model accepts any string: a service checks that the list has the code."""

    code_list: str

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        json_schema: dict[str, Any] = handler(schema)
        json_schema["x-code-list"] = self.code_list
        return json_schema


class UtcDateTimeType(TypeDecorator[dt.datetime]):
    """Column type for times in UTC. Writing a naive datetime is an error; reading returns an aware datetime."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment: dt.datetime = value.astimezone(dt.UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if dialect.name == "sqlite" else value.astimezone(dt.UTC)


def partial_index(name: str, *columns: str, sqlite: str, postgresql: str) -> Index:
    """Keep the PostgreSQL condition in `info` until needed: otherwise SQLAlchemy would load that dialect each time."""
    return Index(name, *columns, sqlite_where=text(sqlite), info={"postgresql_where": text(postgresql)})


def without_empty_members(value: Any, left_out: str = "", empty: Sequence[Any] = (None, [], {})) -> Any:
    """Leave out members named `left_out` or in `empty`, at every level. Empty strings stay by default."""
    if isinstance(value, dict):
        pruned = {key: without_empty_members(each, left_out, empty) for key, each in value.items() if key != left_out}
        return {key: member for key, member in pruned.items() if member not in empty}
    return (
        [without_empty_members(each, left_out, empty) for each in value] if isinstance(value, list | tuple) else value
    )


def digest_of(content: BaseModel) -> str:
    """Leave out empty members, so that a field that is added later does not change digests of older editions."""
    return digest_of_bytes(canonical_json(without_empty_members(content.model_dump(mode="json"))))


def digest_of_bytes(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def canonical_submission(submission: BaseModel) -> bytes:
    """Leave out the fields that were not sent. The signed receipt has the SHA-256 of the result."""
    return canonical_json(submission.model_dump(mode="json", exclude_unset=True))


def canonical_json(value: JsonValue) -> bytes:
    """Return canonical JSON (RFC 8785), for ASCII names and no fractions.

    Raise `orjson.JSONEncodeError` beyond 53 bits.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)


def base64url(value: bytes) -> str:
    """Encode without padding, as in a JWS and in WebAuthn."""
    return base64.urlsafe_b64encode(value).decode().rstrip("=")


def show_no_progress(_done: int, _total: int) -> None:
    """Do nothing, for callers that show no progress."""


def steps_of_half(on_step: OnStep, number: int) -> OnStep:
    """Return an `on_step` for a half of a task, 0 or 1. The other half may count other things."""
    return lambda done, total: on_step(number * total + done, 2 * total)


def steps_of_part(on_step: OnStep, *, after: int, total: int) -> OnStep:
    """Return an `on_step` for a part of a task: `after` steps came before the part, and the task has `total`."""
    return lambda done, _of_the_part: on_step(after + done, total)
