"""The JSON Schema of an edition's file, for the programs in which editors write: they complete keys and mark faults."""

import json
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from app.models.guidance.editions import EditionContent

SCHEMA_FILE = "guide.schema.json"
SCHEMA_LINE = f"# yaml-language-server: $schema=../{SCHEMA_FILE}"
"""The first line of a file: where an editor's program finds the schema, beside the folder of the guide."""
LEFT_OUT = "position"
"""The key that a file may leave out, since items are in their order."""


def edition_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of the file."""
    schema = EditionContent.model_json_schema(mode="validation")
    for each in schema["$defs"].values():
        if LEFT_OUT in each.get("required", ()):
            each["required"].remove(LEFT_OUT)
    about = {"$schema": GenerateJsonSchema.schema_dialect, "title": "The file of a guide's edition"}
    return about | {key: value for key, value in schema.items() if key != "title"}


def edition_schema_json() -> str:
    """Return the schema as the text of a file."""
    return json.dumps(edition_schema(), ensure_ascii=False, indent=2) + "\n"
