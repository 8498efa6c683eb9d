"""Validation errors in plain English: a sentence and a pointer to the field, without the value that was sent."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.errors import FieldError, Location
from app.models.problems import FieldProblem

FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

SENTENCES = {
    "missing": "This part is required.",
    "extra_forbidden": "This field is not known here. Check its spelling.",
    "string_type": "Use text here.",
    "string_too_short": "Write something here.",
    "string_too_long": "Use at most {max_length} characters here.",
    "string_pattern_mismatch": "This is not in the form that is needed here.",
    "enum": "Use one of: {expected}.",
    "literal_error": "Use one of: {expected}.",
    "bool_type": "Use true or false here.",
    "bool_parsing": "Use true or false here.",
    "int_type": "Use a whole number here.",
    "int_parsing": "Use a whole number here.",
    "int_parsing_size": "Use a smaller whole number here.",
    "int_from_float": "Use a whole number here.",
    "greater_than_equal": "Use {ge} or more here.",
    "less_than_equal": "Use {le} or less here.",
    "too_short": "Give at least {min_length} here.",
    "too_long": "Give at most {max_length} here.",
    "date_type": "Use a date such as 2026-11-24.",
    "date_parsing": "Use a date such as 2026-11-24.",
    "date_from_datetime_parsing": "Use a date such as 2026-11-24.",
    "date_from_datetime_inexact": "Use a date such as 2026-11-24, without a time.",
    "model_type": "Use an object here.",
    "model_attributes_type": "Use an object here.",
    "dict_type": "Use an object here.",
    "tuple_type": "Use a list here.",
    "list_type": "Use a list here.",
}
DEFAULT_SENTENCE = "This value cannot be used here."


def to_field_error(error: Mapping[str, Any], *, root: int = 1) -> FieldError:
    """Convert one of pydantic's errors; the first `root` elements of its location are left out."""
    error_type, at = error["type"], tuple(error["loc"][root:])
    if error_type == "value_error":
        return FieldError(at, _sentence(str(error["ctx"]["error"])))
    if error_type == "extra_forbidden" and not FIELD_NAME.fullmatch(str(at[-1])):
        return FieldError(at[:-1], "A field here is not known. Check the spelling of the names.")
    values = {name: _plain(value) for name, value in error.get("ctx", {}).items()}
    return FieldError(at, SENTENCES.get(error_type, DEFAULT_SENTENCE).format_map(values))


def drop_consequent_errors(errors: Sequence[Any]) -> list[Any]:
    """Return the errors without each "list too short" that only follows from errors in that list's entries."""
    locations = [error["loc"] for error in errors]
    return [
        error
        for error in errors
        if error["type"] != "too_short"
        or not any(at != error["loc"] and at[: len(error["loc"])] == error["loc"] for at in locations)
    ]


def to_field_problems(errors: Sequence[FieldError]) -> tuple[FieldProblem, ...]:
    """Convert the errors to their form on the wire."""
    return tuple(FieldProblem(detail=error.detail, pointer=json_pointer(error.at)) for error in errors)


def json_pointer(at: Location) -> str:
    """Return the location as a JSON Pointer (RFC 6901), in its form as a URI fragment."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in at)


def _plain(value: object) -> object:
    return value.replace("'", "").replace(" or ", ", ") if isinstance(value, str) else value


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
