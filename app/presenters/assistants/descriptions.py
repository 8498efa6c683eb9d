"""The descriptions of the tools, as the protocol lists them."""

from functools import cache
from typing import Any

from app.models.guidance.assistant_results import AssistantResult
from app.presenters.assistants.tools import TOOLS

READ_ONLY = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}


@cache
def tool_list() -> list[dict[str, Any]]:
    """Return the descriptions of the tools, always in the same order."""
    return [
        {
            "name": tool.name,
            "title": tool.title,
            "description": tool.description,
            "inputSchema": tool.arguments.model_json_schema(),
            "outputSchema": _output_schema(tool.result),
            "annotations": {"title": tool.title, **READ_ONLY},
        }
        for tool in TOOLS.values()
    ]


def _output_schema(result: type[AssistantResult]) -> dict[str, Any]:
    """Return the schema of a result: its beginning in full, of the rest the types alone.

    Assistants read it with every conversation, and the whole of it is 80 KB. The OpenAPI document has the whole.
    """
    beginning, whole = (each.model_json_schema(mode="serialization") for each in (AssistantResult, result))
    known, definitions = beginning["properties"], whole["$defs"]
    rest = {
        name: {
            "type": _type_of(schema, definitions),
            "description": schema["description"],
        }
        for name, schema in whole["properties"].items()
        if name not in known
    }
    del beginning["additionalProperties"]  # later versions may add members
    return beginning | {"title": whole["title"], "properties": known | rest, "required": whole["required"]}


def _type_of(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """Return the type of a member, or the types where it may be null."""
    if "anyOf" in schema:
        return [_type_of(each, definitions) for each in schema["anyOf"]]
    return schema.get("type") or definitions[schema["$ref"].rpartition("/")[2]]["type"]
