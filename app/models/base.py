"""The base classes of the models, and the small types that many models share."""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from app.faults import CodedValueError, FaultCode

NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


SLUG_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"


class RequestModel(BaseModel):
    """The base of every model that is parsed from outside. A misspelt field is an error: no text is lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ResponseModel(BaseModel):
    """The base of every response. It is built from values that were already parsed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Slug = Annotated[
    str,
    StringConstraints(pattern=SLUG_PATTERN, max_length=80),
    Field(description="Lower-case words joined by hyphens; the same from edition to edition."),
]

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]

MAX_NUMBER = 1_000_000
"""The highest number of an edition, of an addition or of a page."""
MAX_ITEMS = 500
"""The most entries of a list in an edition: so many, each whole, are fewer than the 10,000 values of a body."""

FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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

_web_address: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


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
        description="An http or https address, kept exactly as written.",
        examples=["https://council.example/request-for-service"],
        json_schema_extra={"format": "uri"},
    ),
]

GssCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][0-9]{8}$", max_length=9),
    Field(description="Government Statistical Service code of the area.", examples=["E06000022"]),
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
