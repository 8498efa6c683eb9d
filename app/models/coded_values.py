"""The codes in a model, with their locations, for comparison with the code lists."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic_core import ErrorDetails

from app.errors import Location
from app.models.base import FromCodeList

CodedValue = tuple[Location, str, str]
"""Location, name of the code list, and code."""


def drop_consequent_errors(errors: Sequence[ErrorDetails]) -> list[ErrorDetails]:
    """Drop a list that is too short only because an entry is invalid: Pydantic does not count those."""
    around = {at[:length] for at in (error["loc"] for error in errors) for length in range(len(at))}
    return [error for error in errors if error["type"] != "too_short" or error["loc"] not in around]


@cache
def member_reader(model: type[BaseModel], name: str) -> TypeAdapter[Any]:
    return TypeAdapter[Any](model.model_fields[name].rebuild_annotation())


def model_at(model: type[BaseModel], at: Location) -> type[BaseModel] | None:
    """Return the model at `at`. Return None if a field in `at` is unknown, contains no model, or allows several."""
    found: type[BaseModel] | None = model
    for name in (step for step in at if isinstance(step, str)):
        member = found.model_fields.get(name) if found is not None else None
        inside = set(_models_in(member.annotation)) if member is not None else set()
        found = inside.pop() if len(inside) == 1 else None
    return found


def _parts_of(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in get_args(annotation):
        yield from _parts_of(part)


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    return (part for part in _parts_of(annotation) if isinstance(part, type) and issubclass(part, BaseModel))


def coded_values(model: BaseModel) -> Iterator[CodedValue]:
    """Yield the coded values of the fields that were set. Raise `TypeError` for a field that names two code lists."""
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
    """Return the fields with codes. The value is None for a field whose codes are all inside nested models."""
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
    named = {mark.code_list for mark in (*_parts_of(annotation), *metadata) if isinstance(mark, FromCodeList)}
    if len(named) > 1:
        raise TypeError(f"{field} draws on more than one code list")
    return next(iter(named), None)
