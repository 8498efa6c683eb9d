"""The base classes of the models, and the small types that many models share."""

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

from app.errors import CodedValueError, FaultCode

NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")
SLUG_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"
Slug = Annotated[
    str,
    StringConstraints(pattern=SLUG_PATTERN, max_length=80),
    Field(description="Lower-case words joined by hyphens. Stable across editions."),
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]
MAX_NUMBER = 1_000_000
"""The highest number of an edition, of an addition or of a page."""
MAX_ITEMS = 500
"""The most entries of a list in an edition: so many, each whole, are fewer than the 10,000 values of a body."""
EXAMPLE_DIGEST = "sha256:a5129e4eb899eb9761fcc041e91847544b4a1ab7d8694f456b328b5c056593e9"
"""The digest of the shipped guide's first edition."""
EXAMPLE_RENDITION_DIGEST = "sha256:04e6a02406737946d701dbedf3b57aa730ef6330e53b0423e1eb4980acdefcfe"
FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_web_address: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)
GssCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][0-9]{8}$", max_length=9),
    Field(description="Government Statistical Service code of the area.", examples=["E06000022"]),
]
OnStep = Callable[[int, int], None]


def parse_json(text: str | bytes) -> Any:
    """Return the JSON value. Raise `ValueError` also for one that is nested deeper than 200 levels.

    Python's own parser raises `RecursionError` for it, which no caller expects.
    """
    return jiter.from_json(text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text)


def expect_each_once(values: Sequence[str], detail: str) -> None:
    """Refuse a value that stands twice among them, with that detail."""
    if len(set(values)) != len(values):
        raise CodedValueError(FaultCode.DUPLICATE_ID, detail)


class RequestModel(BaseModel):
    """The base of every model that is parsed from outside. A misspelt field is an error: no text is lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ResponseModel(BaseModel):
    """The base of every response. It is built from values that were already parsed."""

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


# Pydantic reads a number as seconds since 1970, which would make up a date.
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


def format_utc(moment: dt.datetime) -> str:
    """Return the moment in UTC, ending in Z (RFC 3339). Microseconds are written only if there are any."""
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
    """Take the default out of a member's JSON Schema: the member is absent, and never null, where it has no value."""
    schema.pop("default", None)


@dataclass(frozen=True)
class FromCodeList:
    """A mark for a string that is a code of the named list. A service checks membership; the schema names the list."""

    code_list: str

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the name of the list to the JSON Schema as `x-code-list`."""
        json_schema: dict[str, Any] = handler(schema)
        json_schema["x-code-list"] = self.code_list
        return json_schema


class UtcDateTimeType(TypeDecorator[dt.datetime]):
    """A moment in UTC. A naive datetime is refused on writing; an aware one is returned on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> dt.datetime | None:
        """Convert to UTC. SQLite stores no time zone, so it is removed there."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment needs a time zone")
        moment: dt.datetime = value.astimezone(dt.UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if dialect.name == "sqlite" else value.astimezone(dt.UTC)


def partial_index(name: str, *columns: str, sqlite: str, postgresql: str) -> Index:
    """Return an index of the rows for which the condition holds, as each database says it.

    SQLAlchemy gets that of PostgreSQL where PostgreSQL is opened, since it reads the whole dialect to take it.
    """
    return Index(name, *columns, sqlite_where=text(sqlite), info={"postgresql_where": text(postgresql)})


def without_empty_members(value: Any, left_out: str = "") -> Any:
    """Return the JSON value without members that are null, an empty array or an empty object, or have that name."""
    if isinstance(value, dict):
        pruned = {key: without_empty_members(member, left_out) for key, member in value.items() if key != left_out}
        return {key: member for key, member in pruned.items() if member not in (None, [], {})}
    return [without_empty_members(member, left_out) for member in value] if isinstance(value, list | tuple) else value


def digest_of(content: BaseModel) -> str:
    """Return the digest of an edition or a rendition: `sha256:` and 64 hexadecimal digits.

    It is the SHA-256 of the canonical JSON (RFC 8785) of its content (of an edition, the members `title` to `contacts`;
    of a rendition, its own content), after every member whose
    value is null, an empty array or an empty object has been left out. So a key that is added to this API later, and
    is empty in older editions, changes no digest.
    """
    canonical = canonical_json(without_empty_members(content.model_dump(mode="json")))
    return f"sha256:{hashlib.sha256(canonical).hexdigest()}"


def canonical_submission(submission: BaseModel) -> bytes:
    """Return the fields that were sent, as canonical JSON. The receipt has its SHA-256.

    The order and spacing of the JSON that was sent do not matter.
    """
    return canonical_json(submission.model_dump(mode="json", exclude_unset=True))


def canonical_json(value: JsonValue) -> bytes:
    """Return the canonical JSON (RFC 8785) of a value whose names are ASCII, and which holds no fraction.

    orjson sorts names by their characters and has its own format of numbers. Under those two conditions both are as
    the RFC requires. Raises `orjson.JSONEncodeError` for a whole number beyond 53 bits.
    """
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)


def show_no_progress(_done: int, _total: int) -> None:
    """Show nothing."""


def steps_of_part(on_step: OnStep, *, after: int, total: int) -> OnStep:
    """Return a function for one part of the work, which begins after so many steps of the whole."""
    return lambda done, _of_the_part: on_step(after + done, total)
