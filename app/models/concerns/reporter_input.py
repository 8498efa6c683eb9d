"""The base of whatever a reporter tells: null means the same as leaving out, for lists as for everything else."""

from functools import cache
from typing import Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from app.models.base import RequestModel

OF_A_LIST = ("type", "items", "minItems", "maxItems")


class ReporterInput(RequestModel):
    """A part of a concern or of an addition. Many front ends send null where nothing was filled in."""

    @model_validator(mode="before")
    @classmethod
    def _nulls_for_lists_are_left_out(cls, told: Any) -> Any:
        if not isinstance(told, dict) or None not in told.values():
            return told
        return {name: value for name, value in told.items() if value is not None or name not in _lists_of(cls)}

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Tell that a list which may be left out may be null."""
        told: dict[str, Any] = handler(schema)
        properties = handler.resolve_ref_schema(told)["properties"]
        for name in _lists_of(cls):
            properties[name]["anyOf"] = [
                {word: properties[name].pop(word) for word in OF_A_LIST if word in properties[name]},
                {"type": "null"},
            ]
        return told


@cache
def _lists_of(model: type[ReporterInput]) -> frozenset[str]:
    """The names of the lists that may be left out."""
    return frozenset(name for name, field in model.model_fields.items() if field.default == ())
