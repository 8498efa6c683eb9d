"""Stored content as the models would write it today: with the defaults of fields that a later version added."""

from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from app.models.coded_values import model_at


class Shape(NamedTuple):
    """The fields of a model, as JSON. `defaults` lacks required ones."""

    names: tuple[str, ...]
    defaults: dict[str, Any]
    nested: tuple[tuple[str, "Shape"], ...]


@cache
def shape_of_content(model: type[BaseModel]) -> Shape:
    fields = model.model_fields
    optional = {name: each for name, each in fields.items() if not each.is_required()}
    return Shape(
        tuple(fields),
        {name: to_jsonable_python(each.get_default(call_default_factory=True)) for name, each in optional.items()},
        tuple((name, shape_of_content(inner)) for name in fields if (inner := model_at(model, (name,))) is not None),
    )


def complete_stored(shape: Shape, stored: Iterable[dict[str, Any]]) -> None:
    """Add the missing fields to each of `stored`, at every level. Raise `KeyError` for a required one.

    Nothing else is checked: it was before it was stored, and `guidance verify` compares its digest.
    """
    count = len(shape.names)
    for each in stored:
        if len(each) != count:
            whole = {name: each[name] if name in each else deepcopy(shape.defaults[name]) for name in shape.names}
            each.clear()
            each.update(whole)
        for name, inner in shape.nested:
            if found := each[name]:
                complete_stored(inner, (found,) if isinstance(found, dict) else found)
