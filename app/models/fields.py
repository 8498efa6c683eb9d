"""What models share: their codes with their places, and small types for texts, answers, dates and addresses."""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    TypeAdapter,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import ErrorDetails, core_schema

from app.errors import CodedValueError, FaultCode, Location
from app.models.base import FULL_DATE, FromCodeList, RequestModel

Brief = Annotated[str, StringConstraints(max_length=100)]
Line = Annotated[str, StringConstraints(max_length=300)]
Note = Annotated[str, StringConstraints(max_length=1000)]
Account = Annotated[str, StringConstraints(max_length=5000)]
"""Generous lengths, under which the longest possible concern is still well below a megabyte."""

_CODE = StringConstraints(max_length=40)
CouncilCode = Annotated[str, FromCodeList("council"), _CODE]
SexCode = Annotated[str, FromCodeList("sex"), _CODE]
EthnicityCode = Annotated[str, FromCodeList("ethnicity"), _CODE]
DisabilityCode = Annotated[str, FromCodeList("disability"), _CODE]
ReferralSourceCode = Annotated[str, FromCodeList("referral-source"), _CODE]
LawfulBasisCode = Annotated[str, FromCodeList("lawful-basis"), _CODE]
ReasonNotInformedCode = Annotated[str, FromCodeList("reason-parents-not-told"), _CODE]

CodedValue = tuple[Location, str, str]
_LIST_KEYWORDS = ("type", "items", "minItems", "maxItems")


def drop_consequent_errors(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Return pydantic's errors without each "list too short" that only follows from errors in that list's entries."""
    around = {at[:length] for at in (error["loc"] for error in errors) for length in range(len(at))}
    return [error for error in errors if error["type"] != "too_short" or error["loc"] not in around]


@cache
def member_reader(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    """Return what reads this member of the model alone."""
    return TypeAdapter[Any](model.model_fields[name].rebuild_annotation())


def _only_model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the only model in the annotation; None if there is none or more than one."""
    found = set(_models_in(annotation))
    return found.pop() if len(found) == 1 else None


def model_at(model: type[BaseModel], at: Location) -> type[BaseModel] | None:
    """Return the model of the object at that place of a value of `model`; None if more than one could be there."""
    found: type[BaseModel] | None = model
    for name in (step for step in at if isinstance(step, str)):
        member = found.model_fields.get(name) if found is not None else None
        found = _only_model_in(member.annotation) if member is not None else None
    return found


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def coded_values(model: BaseModel) -> Iterator[CodedValue]:
    """Yield (location, name of the code list, code) for every code in the model.

    A location is a path of field names, keys and list indexes, from the root. A field that was not sent yields
    nothing. Raises TypeError for a model with a field that names two code lists: its codes would be ambiguous.
    """
    for field, code_list in _coded_fields(type(model)).items():
        if field in model.model_fields_set:
            yield from _codes_in((field,), code_list, getattr(model, field))


def _codes_in(location: Location, code_list: str | None, value: object) -> Iterator[CodedValue]:
    if isinstance(value, str):
        if code_list is not None:
            yield location, code_list, value
    elif isinstance(value, BaseModel):
        for at, its_list, code in coded_values(value):
            yield (*location, *at), its_list, code
    else:
        many = enumerate(value) if isinstance(value, list | tuple | set | frozenset) else ()
        for step, item in value.items() if isinstance(value, dict) else many:
            yield from _codes_in((*location, step), code_list, item)


@cache
def _coded_fields(model: type[BaseModel]) -> Mapping[str, str | None]:
    """Map every field of the class that may hold codes to the code list of its strings.

    Fields that can hold neither codes nor models are left out: most of a concern is its words.
    """
    fields = model.model_fields
    found = {
        name: _only_code_list(f"{model.__name__}.{name}", field.annotation, field.metadata)
        for name, field in fields.items()
    }
    return {
        name: code_list
        for name, code_list in found.items()
        if code_list is not None or any(_models_in(fields[name].annotation))
    }


def _only_code_list(field: str, annotation: Any, metadata: list[Any]) -> str | None:
    named = {*_named_in(annotation), *(mark.code_list for mark in metadata if isinstance(mark, FromCodeList))}
    if len(named) > 1:
        raise TypeError(f"{field} draws on more than one code list")
    return next(iter(named), None)


def _named_in(annotation: Any) -> Iterator[str]:
    """Yield the code lists named inside an annotation: `get_args` opens Annotated, unions, lists and tuples."""
    if isinstance(annotation, FromCodeList):
        yield annotation.code_list
    for part in get_args(annotation):
        yield from _named_in(part)


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


# Pydantic reads a number as seconds since 1970: a year alone would become a made-up date.
Day = Annotated[dt.date, BeforeValidator(_check_full_date)]

_PARTIAL_DATE = r"^[12][0-9]{3}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?$"


def _check_partial_date(value: str) -> str:
    try:
        if not re.fullmatch(_PARTIAL_DATE, value):
            raise ValueError
        dt.date.fromisoformat(
            value + "0000-01-01"[len(value) :]
        )  # the first month and day for those that are not known
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
    """The base of the models in a concern or an addition.

    Many front ends send null for an empty field, so null means the same as leaving a field out, lists included.
    """

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
        """Allow null for every list that may be left out."""
        json_schema: dict[str, Any] = handler(schema)
        properties = handler.resolve_ref_schema(json_schema)["properties"]
        for name in _optional_lists(cls):
            properties[name].pop("default")  # generated clients take a default for the only value that is not null
            properties[name]["anyOf"] = [
                {keyword: properties[name].pop(keyword) for keyword in _LIST_KEYWORDS if keyword in properties[name]},
                {"type": "null"},
            ]
        return json_schema


@cache
def _optional_lists(model: type[ReporterInput]) -> frozenset[str]:
    """Return the names of the lists that may be left out."""
    return frozenset(name for name, field in model.model_fields.items() if field.default == ())


def optional_field(title: str, description: str, example: Any) -> Any:
    """Declare a field that may be left out or null, with its label, its help text and an example."""
    return Field(default=None, title=title, description=description, examples=[example])


def optional_list(title: str, description: str, example: list[Any], *, max_length: int) -> Any:
    """Declare a list that may be left out, empty or null, with its label, its help text and an example."""
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
