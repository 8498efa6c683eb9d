"""The file of an edition, as an editor writes it: positions may be left out, and faults are in an editor's words."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.errors import SeedError, SeedFileError
from app.faults import CodedValueError, FaultCode, FieldError, Location
from app.models.guidance.editions import EditionContent
from app.models.guidance.editor_words import fault_in_words, misspelt_keys, place_in_words
from app.models.guidance.file_faults import find_written_faults
from app.models.guidance.sections import ITEM_LISTS
from app.models.guidance.seed_files import FileTree, is_echo, read_tree


@dataclass(frozen=True)
class EditionFile:
    """An edition that was read from a file, and the line of each place of it."""

    path: Path
    content: EditionContent
    tree: FileTree

    def seed_error(self, at: Location, reason: str) -> SeedError:
        """Return what is wrong at that place, with its line, in an editor's words."""
        return SeedError(self.tree.line_of(at), f"{place_in_words(at)}: {reason}")

    def refusal(self, faults: Sequence[FieldError]) -> SeedFileError:
        """Return the error for faults that were found in the content."""
        return SeedFileError(self.path, [self.seed_error(fault.at, fault.detail) for fault in faults])


def read_edition_file(path: Path) -> EditionFile:
    """Parse the file. Raise `SeedFileError` with every fault."""
    value, tree = read_tree(path)
    place_items(value)
    faults = [*tree.faults, *(SeedError(tree.line_of(at), reason) for at, reason in find_written_faults(value))]
    try:
        content = EditionContent.model_validate_json(json.dumps(value), strict=True)
    except ValidationError as refusal:
        errors = refusal.errors(include_url=False, include_input=False)
        misspelt = misspelt_keys(errors)
        faults += [
            SeedError(tree.line_of(error["loc"]), fault_in_words(error, value))
            for error in errors
            if not (is_echo(error, errors) or _is_repeated_id(error) or _is_misspelt(error, misspelt))
        ]
    if faults:
        raise SeedFileError(path, faults)
    return EditionFile(path, content, tree)


def _is_repeated_id(error: ErrorDetails) -> bool:
    """Return True for a fault that is found in the file itself, with the item that had the id first."""
    reason = error.get("ctx", {}).get("error")
    return isinstance(reason, CodedValueError) and reason.code is FaultCode.DUPLICATE_ID


def _is_misspelt(error: ErrorDetails, misspelt: set[Location]) -> bool:
    return error["type"] == "missing" and error["loc"] in misspelt


def place_items(value: object) -> None:
    """Give every item without a position its place in its list."""
    for key, entry in ITEM_LISTS.items():
        items = value.get(key) if isinstance(value, dict) else None
        if "position" in entry.item.model_fields and isinstance(items, list):
            for place, item in enumerate(items, start=1):
                if isinstance(item, dict):
                    item.setdefault("position", place)
