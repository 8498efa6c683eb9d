"""The base of every model that a reporter fills in: null means the same as leaving a field out, lists included."""

from functools import cache
from typing import Any

from pydantic import GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import core_schema

from app.models.base import RequestModel

LIST_KEYWORDS = ("type", "items", "minItems", "maxItems")


class ReporterInput(RequestModel):
    """The base of the models in a concern or an addition. Many front ends send null for an empty field."""

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
            properties[name]["anyOf"] = [
                {keyword: properties[name].pop(keyword) for keyword in LIST_KEYWORDS if keyword in properties[name]},
                {"type": "null"},
            ]
        return json_schema


@cache
def _optional_lists(model: type[ReporterInput]) -> frozenset[str]:
    """Return the names of the lists that may be left out."""
    return frozenset(name for name, field in model.model_fields.items() if field.default == ())
