"""An edition as an editor writes it: positions may be left out, and faults are in an editor's words."""

import json

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.faults import CodedValueError, FaultCode, Location
from app.models.guidance.editions import EditionContent
from app.models.guidance.editor_words import fault_in_words, misspelt_keys
from app.models.guidance.file_faults import Fault, find_written_faults
from app.models.guidance.sections import ITEM_LISTS
from app.models.guidance.seed_files import is_echo
from app.models.waiting_rules import find_waiting


def parse_written(value: object) -> tuple[EditionContent | None, list[Fault]]:
    """Return the content that was written, and every fault with its place. The content is None if it cannot be parsed.

    Items of `value` without a position are given their place in it.
    """
    place_items(value)
    faults = list(find_written_faults(value))
    try:
        return EditionContent.model_validate_json(json.dumps(value), strict=True), faults
    except ValidationError as refusal:
        errors = refusal.errors(include_url=False, include_input=False)
    errors += _waiting_errors(value, errors)
    misspelt = misspelt_keys(errors)
    faults += [
        (error["loc"], fault_in_words(error, value))
        for error in errors
        if not (is_echo(error, errors) or _is_repeated_id(error) or _is_misspelt(error, misspelt))
    ]
    return None, faults


def place_items(value: object) -> None:
    """Give every item without a position its place in its list."""
    for key, entry in ITEM_LISTS.items():
        items = value.get(key) if isinstance(value, dict) else None
        if "position" in entry.item.model_fields and isinstance(items, list):
            for place, item in enumerate(items, start=1):
                if isinstance(item, dict):
                    item.setdefault("position", place)


def _waiting_errors(value: object, errors: list[ErrorDetails]) -> list[ErrorDetails]:
    return [
        {"type": "value_error", "loc": at, "msg": str(reason), "input": None, "ctx": {"error": reason}}
        for at, reason in find_waiting(EditionContent, value, [error["loc"] for error in errors])
    ]


def _code_of(error: ErrorDetails) -> FaultCode | None:
    reason = error.get("ctx", {}).get("error")
    return reason.code if isinstance(reason, CodedValueError) else None


def _is_repeated_id(error: ErrorDetails) -> bool:
    """Return True for a fault that is found in the file itself, with the item that had the id first."""
    return _code_of(error) is FaultCode.DUPLICATE_ID


def _is_misspelt(error: ErrorDetails, misspelt: set[Location]) -> bool:
    return error["type"] == "missing" and error["loc"] in misspelt
