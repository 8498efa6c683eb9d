"""Posted HTML forms: parsing of the request body, access to the fields, and validation with Pydantic models."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import Depends, Request
from pydantic import BaseModel, ValidationError

from app.errors import BadRequest, FieldError, UnsupportedMediaType, ValidationFailed
from app.http.field_errors import to_field_error
from app.http.json_bodies import InvalidBody, refuse_compressed
from app.models.base import NOT_STORABLE
from app.models.coded_values import drop_consequent_errors

COUNT = "count:"
URLENCODED = "application/x-www-form-urlencoded"
MAX_FIELDS = 20_000
MAX_DIGITS = 9
PLACE = re.compile("[0-9]{1,3}")  # the index of an entry in a list
Answers = dict[str, Any]
_Model = TypeVar("_Model", bound=BaseModel)


@dataclass(frozen=True)
class SubmittedForm:
    fields: Mapping[str, list[str]] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """Return the last value of a field, or an empty text."""
        return self.fields.get(name, [""])[-1]

    def many(self, name: str) -> list[str]:
        return [value for value in self.fields.get(name, []) if value]

    def lines(self, name: str) -> list[str]:
        return [line.strip() for line in self.one(name).split("\n") if line.strip()]

    def number(self, name: str) -> int | None:
        """Return the number in a field of at most nine digits."""
        typed = self.one(name)
        return int(typed) if typed.isascii() and typed.isdecimal() and len(typed) <= MAX_DIGITS else None

    def count(self, name: str) -> int:
        """Read `count:<name>`, of at most three digits. Otherwise return 0."""
        typed = self.one(COUNT + name)
        return int(typed) if typed.isdecimal() and len(typed) <= len("000") else 0

    @property
    def counts(self) -> dict[str, int]:
        names = [name.removeprefix(COUNT) for name in self.fields if name.startswith(COUNT)]
        return {name: self.count(name) for name in names}


async def parse_form(request: Request) -> SubmittedForm:
    """Parse a form, with CRLF replaced by LF. Raise `InvalidBody`."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != URLENCODED:
        raise InvalidBody(UnsupportedMediaType, UnsupportedMediaType.meaning)
    refuse_compressed(request)
    body = await request.body()  # whole and within the size limit: see `app.http.request_bodies`
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS)
    except ValueError:  # not ASCII, escaped bytes that are not UTF-8, or too many fields
        raise InvalidBody(BadRequest, BadRequest.meaning) from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if NOT_STORABLE.search(value):
            raise InvalidBody(BadRequest, BadRequest.meaning)
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return SubmittedForm(fields)


SubmittedFormDep = Annotated[SubmittedForm, Depends(parse_form)]


def value_at(answers: Answers, name: str) -> Any:
    """Return the value at a name such as `children.0.age`."""
    value: Any = answers
    for step in name.split("."):
        if isinstance(value, list):
            value = value[int(step)] if PLACE.fullmatch(step) and int(step) < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def parse_fields(model: type[_Model], fields: Mapping[str, object]) -> _Model:
    """Read the values from texts, as forms post them. Raise `ValidationFailed` with every error."""
    try:
        return model.model_validate(fields, strict=False)
    except ValidationError as error:
        raise ValidationFailed(faults_of(error)) from None


def faults_of(error: ValidationError) -> list[FieldError]:
    """Return the faults. A list that is too short only because its entries are invalid is left out."""
    return [
        to_field_error(each) for each in drop_consequent_errors(error.errors(include_url=False, include_input=False))
    ]
