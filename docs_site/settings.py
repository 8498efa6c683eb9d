"""The page about the settings: what the program itself reads, and within which limits, with what each means."""

import json
import re
from pathlib import Path
from typing import Any

from app.config import Settings
from docs_site.markdown import page, table

MEANING = re.compile(r"^\| `GUIDANCE_(\w+)` \| [^|]* \| (.*) \|$", flags=re.MULTILINE)
TOLD = Path(__file__).parent.parent / "docs" / "reference" / "settings.md"
NOTE = "This page is made from the program. [Settings](settings.md) says which go together, and what a trial is."
TYPES = {
    "array": "list",
    "boolean": "`true` or `false`",
    "date-time": "moment",
    "integer": "whole number",
    "object": "JSON object",
    "password": "text, never shown",
    "string": "text",
}
LIMITS = {
    "minimum": "at least",
    "ge": "at least",
    "exclusiveMinimum": "more than",
    "maximum": "at most",
    "le": "at most",
    "maxLength": "characters at most:",
    "pattern": "as",
}


def settings_page() -> str:
    """Return a page with each setting, its type, its limits, its default and what it means."""
    meanings = dict(MEANING.findall(TOLD.read_text(encoding="utf-8")))
    rows = [
        (f"`GUIDANCE_{name.upper()}`", _values(schema), _default(schema), meanings[name.upper()])
        for name, schema in Settings.model_json_schema()["properties"].items()
    ]
    return page("# Every setting", NOTE, table(["setting", "values", "default", "meaning"], sorted(rows)))


def _values(schema: dict[str, Any]) -> str:
    """Return the type in words, with the limits. Null is the absence of the setting, and no value of it."""
    value = next(each for each in schema.get("anyOf", [schema]) if each.get("type") != "null")
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    limits = [f"{words} `{value[name]}`" for name, words in LIMITS.items() if name in value]
    named = value.get("format") or value["type"]
    return ", ".join([TYPES.get(named, named), *limits])


def _default(schema: dict[str, Any]) -> str:
    default = schema.get("default")
    if default in (None, []):
        return "none"
    if isinstance(default, str):
        path = Path(default)
        return f"`{path.name}` beside the code" if path.is_absolute() else f"`{default}`"
    return f"`{json.dumps(default)}`"
