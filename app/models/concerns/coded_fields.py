"""The codes in a model, or in a body that is none yet, with their places, to be checked against the code lists."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, get_args

from pydantic import BaseModel

from app.faults import Location
from app.models.base import FromCodeList
from app.models.waiting_rules import only_model_in


def coded_values(model: BaseModel) -> Iterator[tuple[Location, str, str]]:
    """Yield (location, name of the code list, code) for every code anywhere in the model.

    A location is a path of field names, keys and list indexes, from the root. A field that was not sent yields
    nothing. Raises TypeError for a model with a field that names two code lists: its codes would be ambiguous.
    """
    for field, code_list in _code_lists(type(model)).items():
        if field in model.model_fields_set:
            yield from _codes_at((field,), code_list, getattr(model, field))


def coded_values_in(model: type[BaseModel], body: object) -> Iterator[tuple[Location, str, str]]:
    """Yield the same for a JSON value that was meant as such a model, whatever its other faults are."""
    if not isinstance(body, dict):
        return
    for field, code_list in _code_lists(model).items():
        if field in body:
            yield from _codes_in((field,), code_list, only_model_in(model.model_fields[field].annotation), body[field])


def _codes_in(
    location: Location, code_list: str | None, model: type[BaseModel] | None, value: object
) -> Iterator[tuple[Location, str, str]]:
    if isinstance(value, list):
        for place, item in enumerate(value):
            yield from _codes_in((*location, place), code_list, model, item)
    elif model is not None:
        for inner, inner_list, code in coded_values_in(model, value):
            yield (*location, *inner), inner_list, code
    elif isinstance(value, str) and code_list is not None:
        yield location, code_list, value


def _codes_at(location: Location, code_list: str | None, value: object) -> Iterator[tuple[Location, str, str]]:
    if isinstance(value, BaseModel):
        for inner, inner_list, code in coded_values(value):
            yield (*location, *inner), inner_list, code
    elif isinstance(value, str):
        if code_list is not None:
            yield location, code_list, value
    else:
        many = enumerate(value) if isinstance(value, list | tuple | set | frozenset) else ()
        for step, item in value.items() if isinstance(value, dict) else many:
            yield from _codes_at((*location, step), code_list, item)


@cache
def _code_lists(model: type[BaseModel]) -> Mapping[str, str | None]:
    """Map every field of the class that may hold codes to the code list of its strings; to None if it holds models.

    Fields that can hold neither are left out: most of a concern is its words.
    """
    lists = {
        name: _only_code_list(f"{model.__name__}.{name}", field.annotation, field.metadata)
        for name, field in model.model_fields.items()
    }
    return {
        name: code_list
        for name, code_list in lists.items()
        if code_list is not None or _holds_models(model.model_fields[name].annotation)
    }


def _holds_models(annotation: Any) -> bool:
    is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
    return is_model or any(map(_holds_models, get_args(annotation)))


def _only_code_list(field: str, annotation: Any, metadata: list[Any]) -> str | None:
    named = {*_named_in(annotation), *(mark.code_list for mark in metadata if isinstance(mark, FromCodeList))}
    if len(named) > 1:
        raise TypeError(f"{field} draws on more than one code list")
    return next(iter(named), None)


def _named_in(annotation: Any) -> Iterator[str]:
    """Yield the code lists named inside an annotation; get_args opens Annotated, unions, lists and tuples."""
    if isinstance(annotation, FromCodeList):
        yield annotation.code_list
    for part in get_args(annotation):
        yield from _named_in(part)
