"""An edition as the text of its file: without positions, and without members that are empty."""

import io
from typing import Any

from ruamel.yaml import YAML

from app.models.guidance.edition_schema import LEFT_OUT, SCHEMA_LINE
from app.models.guidance.editions import EditionContent

_WIDTH = 110
NEVER_WRAPPED = 1_000_000
"""Control characters, and separators of lines that few know, would not survive a wrapped line, or without escapes."""


def edition_yaml(content: EditionContent, remarks: str = "") -> str:
    """Return the file. It reads back to the same words. `remarks` are lines of comment after the first line."""
    return file_text(content.model_dump(mode="json"), remarks)


def file_text(content: dict[str, Any], remarks: str = "") -> str:
    """Return the file of a content that may still have faults."""
    yaml = YAML(typ="rt", pure=True)
    yaml.width = _WIDTH if _is_plain(content) else NEVER_WRAPPED
    yaml.allow_unicode = _is_plain(content)
    yaml.indent(mapping=2, sequence=4, offset=2)
    text = io.StringIO()
    yaml.dump(_written(content), text)
    comment = "".join(f"# {line}".rstrip() + "\n" for line in remarks.splitlines())
    return f"{SCHEMA_LINE}\n{comment}\n{text.getvalue()}"


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain, value.values()))
    if isinstance(value, list):
        return all(map(_is_plain, value))
    return not isinstance(value, str) or value.isprintable()


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        members = {name: _written(member) for name, member in value.items() if name != LEFT_OUT}
        return {name: member for name, member in members.items() if member not in (None, [], {})}
    return [_written(member) for member in value] if isinstance(value, list | tuple) else value
