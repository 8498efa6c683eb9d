"""The base of everything that is parsed, and the small types that many models share.

A model's validator is built when it is first needed, not when its module is read: most processes need few of them.
"""

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

SLUG_PATTERN = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"


class RequestModel(BaseModel):
    """Whatever is parsed from outside: a misspelt field is an error, so that no word is lost in silence."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ResponseModel(BaseModel):
    """Whatever the service answers: built from values that were already parsed."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


Slug = Annotated[
    str,
    StringConstraints(pattern=SLUG_PATTERN, max_length=80),
    Field(description="Lower-case words joined by hyphens; the same from edition to edition."),
]

Text = Annotated[str, StringConstraints(min_length=1, max_length=4000)]

_FULL_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _read_full_date(given: object) -> object:
    if type(given) is dt.date:
        return given
    try:
        if not isinstance(given, str) or not _FULL_DATE.fullmatch(given):
            raise ValueError
        return dt.date.fromisoformat(given)
    except ValueError:
        raise ValueError("must be a full date such as 2026-11-24") from None


# Pydantic by itself reads a number as seconds since 1970, and so as a date that nobody gave.
FullDate = Annotated[dt.date, BeforeValidator(_read_full_date)]

_web_address: TypeAdapter[AnyHttpUrl] = TypeAdapter(AnyHttpUrl)


def _is_web_address(printed: str) -> str:
    try:
        _web_address.validate_python(printed)
    except ValidationError:
        raise ValueError("must be an http or https address") from None
    return printed


WebAddress = Annotated[
    str,
    StringConstraints(max_length=2000),
    AfterValidator(_is_web_address),
    Field(
        description="An http or https address, kept exactly as written.",
        examples=["https://council.example/request-for-service"],
        json_schema_extra={"format": "uri"},
    ),
]

GssCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z][0-9]{8}$"),
    Field(description="Government Statistical Service code of the area.", examples=["E06000022"]),
]


def format_utc(moment: dt.datetime) -> str:
    """The moment in UTC, to the microsecond where it has one, ending in Z (RFC 3339)."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


UtcDateTime = Annotated[
    AwareDatetime,
    PlainSerializer(format_utc, return_type=str, when_used="json"),
    Field(description="A moment in UTC, ending in Z (RFC 3339).", examples=["2026-11-24T09:30:00Z"]),
]


@dataclass(frozen=True)
class FromCodeList:
    """Marks a string as a code of a named code list; the service checks membership, the schema tells the list."""

    code_list: str

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Add the name of the list to the JSON Schema as `x-code-list`."""
        told: dict[str, Any] = handler(schema)
        told["x-code-list"] = self.code_list
        return told
