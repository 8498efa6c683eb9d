"""Shared parts of the models of a concern: the base class, and types for texts, answers, dates and addresses."""

import datetime as dt
import re
from enum import StrEnum
from functools import cache
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, GetJsonSchemaHandler, StringConstraints, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from app.errors import CodedValueError, FaultCode
from app.models.base import FULL_DATE, FromCodeList, RequestModel

Brief = Annotated[str, StringConstraints(max_length=100)]
Line = Annotated[str, StringConstraints(max_length=300)]
Note = Annotated[str, StringConstraints(max_length=1000)]
Account = Annotated[str, StringConstraints(max_length=5000)]
"""The maximum lengths are generous; nevertheless the longest possible concern is well below a megabyte."""
_CODE = StringConstraints(max_length=40)
CouncilCode = Annotated[str, FromCodeList("council"), _CODE]
SexCode = Annotated[str, FromCodeList("sex"), _CODE]
EthnicityCode = Annotated[str, FromCodeList("ethnicity"), _CODE]
DisabilityCode = Annotated[str, FromCodeList("disability"), _CODE]
ReferralSourceCode = Annotated[str, FromCodeList("referral-source"), _CODE]
LawfulBasisCode = Annotated[str, FromCodeList("lawful-basis"), _CODE]
ReasonNotInformedCode = Annotated[str, FromCodeList("reason-parents-not-told"), _CODE]
_LIST_KEYWORDS = ("type", "items", "minItems", "maxItems")
_PARTIAL_DATE = r"^[12][0-9]{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"


class YesNo(StrEnum):
    """Answer to a question of fact. `not_known` is never treated as `no`."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not_known"


def _check_full_date(value: object) -> object:
    if type(value) is dt.date or (isinstance(value, str) and FULL_DATE.fullmatch(value)):
        return value
    raise CodedValueError(
        FaultCode.NOT_A_DATE, "must be a full date such as 2026-11-24; if only part is known, use the field beside it"
    )


# Without this check, Pydantic would read a number, such as a year, as seconds since 1970.
Day = Annotated[dt.date, BeforeValidator(_check_full_date)]


def _check_partial_date(value: str) -> str:
    try:
        if not re.fullmatch(_PARTIAL_DATE, value):
            raise ValueError
        dt.date.fromisoformat(value + "0000-01-01"[len(value) :])  # 01 stands for an unknown month or day
    except ValueError:
        raise CodedValueError(
            FaultCode.NOT_A_DATE, "must be a date such as 2026-11-24, 2026-11 or 2026; put other text beside it"
        ) from None
    return value


PartialDate = Annotated[
    str,
    StringConstraints(max_length=10),
    AfterValidator(_check_partial_date),
    Field(json_schema_extra={"pattern": _PARTIAL_DATE}),
]


class ReporterInput(RequestModel):
    """Null means the same as leaving a field out, also for lists: many front ends send it for an empty field."""

    @model_validator(mode="before")
    @classmethod
    def _drop_null_lists(cls, fields: Any) -> Any:
        if not isinstance(fields, dict) or None not in fields.values():
            return fields
        return {name: value for name, value in fields.items() if value is not None or name not in _optional_lists(cls)}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        json_schema: dict[str, Any] = handler(schema)
        properties = handler.resolve_ref_schema(json_schema)["properties"]
        for name in _optional_lists(cls):
            properties[name].pop("default")  # client generators mistake the default for the only value besides null
            properties[name]["anyOf"] = [
                {keyword: properties[name].pop(keyword) for keyword in _LIST_KEYWORDS if keyword in properties[name]},
                {"type": "null"},
            ]
        return json_schema


@cache
def _optional_lists(model: type[ReporterInput]) -> frozenset[str]:
    return frozenset(name for name, field in model.model_fields.items() if field.default == ())


def optional_field(title: str, description: str, example: Any) -> Any:
    """Null or absent. `example` is the first in the schema."""
    return Field(default=None, title=title, description=description, examples=[example])


def optional_list(title: str, description: str, example: list[Any], *, max_length: int) -> Any:
    """Null, absent or empty. `example` is the first in the schema."""
    return Field(default=(), max_length=max_length, title=title, description=description, examples=[example])


class Address(ReporterInput):
    """An address, as far as known. It is not checked against a directory or reformatted."""

    text: Line | None = optional_field(
        "Address", "As much of the address as you know, in any format.", "1 Example Street, Exampleton"
    )
    postcode: Brief | None = optional_field("Postcode", "The postcode, or part of it.", "XX1 1XX")
    uprn: Brief | None = optional_field(
        "Unique property reference number (UPRN)",
        "Unique property reference number, if your system has it. People do not need to look this up.",
        "000000000000",
    )


class Identifier(ReporterInput):
    """A number that identifies a person in another organisation's records, with its scheme."""

    scheme: Brief | None = optional_field(
        "Kind of number", "Scheme of the number, such as nhs-number or unique-pupil-number.", "nhs-number"
    )
    value: Brief | None = optional_field("Number", "The number itself, in any form.", "999 000 0000")
