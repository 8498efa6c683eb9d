"""The generated parts of the page about settings: the values and limits of each setting."""

import re
from typing import Any

from app.config import Settings
from docs_site.markdown import cell

ROW = re.compile(r"^\| `GUIDANCE_(\w+)` \| ([^|]*) \| (.*) \|$", flags=re.MULTILINE)
HEAD = "| setting | default | meaning |\n|---|---|---|"
COMPLETED = "| setting | values | default | meaning |\n|---|---|---|---|"
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


def with_values(markdown: str) -> str:
    """Return the page with the type and limits of each setting beside its default."""
    known = Settings.model_json_schema()["properties"]

    def complete(row: re.Match[str]) -> str:
        return f"| `GUIDANCE_{row[1]}` | {cell(_values(known[row[1].lower()]))} | {row[2]} | {row[3]} |"

    return ROW.sub(complete, markdown.replace(HEAD, COMPLETED))


def _values(schema: dict[str, Any]) -> str:
    """Return the type in words, with the limits. Null is left out, because it stands for a setting that is not set."""
    value = next(each for each in schema.get("anyOf", [schema]) if each.get("type") != "null")
    if "enum" in value:
        return ", ".join(f"`{each}`" for each in value["enum"])
    limits = [f"{words} `{value[name]}`" for name, words in LIMITS.items() if name in value]
    named = value.get("format") or value["type"]
    return ", ".join([TYPES.get(named, named), *limits])
