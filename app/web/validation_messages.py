"""Validation errors in plain English: a sentence and a pointer to the field, without the value that was sent."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from app.faults import FaultCode, FieldError, Location
from app.models.problems import FieldProblem

FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

FAULTS: dict[str, tuple[FaultCode, str]] = {
    "missing": (FaultCode.REQUIRED, "This part is required."),
    "extra_forbidden": (FaultCode.UNKNOWN_FIELD, "This field is not known here. Check its spelling."),
    "string_type": (FaultCode.WRONG_TYPE, "Use text here."),
    "string_too_short": (FaultCode.BLANK, "Write something here."),
    "string_too_long": (FaultCode.TOO_LONG, "Use at most {max_length} characters here."),
    "string_pattern_mismatch": (FaultCode.WRONG_FORM, "This is not in the form that is needed here."),
    "enum": (FaultCode.NOT_LISTED, "Use one of: {expected}."),
    "literal_error": (FaultCode.NOT_LISTED, "Use one of: {expected}."),
    "bool_type": (FaultCode.WRONG_TYPE, "Use true or false here."),
    "bool_parsing": (FaultCode.WRONG_TYPE, "Use true or false here."),
    "int_type": (FaultCode.WRONG_TYPE, "Use a whole number here."),
    "int_parsing": (FaultCode.WRONG_TYPE, "Use a whole number here."),
    "int_parsing_size": (FaultCode.TOO_LARGE, "Use a smaller whole number here."),
    "int_from_float": (FaultCode.WRONG_TYPE, "Use a whole number here."),
    "greater_than_equal": (FaultCode.TOO_SMALL, "Use {ge} or more here."),
    "less_than_equal": (FaultCode.TOO_LARGE, "Use {le} or less here."),
    "too_short": (FaultCode.TOO_FEW, "Give at least {min_length} here."),
    "too_long": (FaultCode.TOO_MANY, "Give at most {max_length} here."),
    "date_type": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24."),
    "date_parsing": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24."),
    "date_from_datetime_parsing": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24."),
    "date_from_datetime_inexact": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24, without a time."),
    "model_type": (FaultCode.WRONG_TYPE, "Use an object here."),
    "model_attributes_type": (FaultCode.WRONG_TYPE, "Use an object here."),
    "dict_type": (FaultCode.WRONG_TYPE, "Use an object here."),
    "tuple_type": (FaultCode.WRONG_TYPE, "Use a list here."),
    "list_type": (FaultCode.WRONG_TYPE, "Use a list here."),
    "unknown_parameter": (FaultCode.UNKNOWN_PARAMETER, "A query parameter is unknown. {hint}"),
    "nul_in_parameter": (FaultCode.INVALID, "A query parameter has a NUL character."),
    "repeated_parameter": (FaultCode.REPEATED_PARAMETER, "It is given more than once."),
}
DEFAULT_FAULT = (FaultCode.INVALID, "This value cannot be used here.")


def to_field_error(error: Mapping[str, Any], *, root: int = 1) -> FieldError:
    """Convert one of pydantic's errors; the first `root` elements of its location are left out."""
    at = tuple(error["loc"][root:])
    code, template, values = _fault(error)
    if code is FaultCode.UNKNOWN_FIELD and not FIELD_NAME.fullmatch(str(at[-1])):
        return FieldError(at[:-1], "A field here is not known. Check the spelling of the names.", code)
    return FieldError(at, template, code, values=values)


def to_request_fault(error: Mapping[str, Any]) -> FieldError:
    """Convert one of pydantic's errors about a request, of which the first element of the location is the part."""
    source, *rest = error["loc"]
    if source == "body":
        return to_field_error(error)
    code, template, values = _fault(error)
    return FieldError((), template, code, source, str(rest[0]) if rest else None, values)


def _fault(error: Mapping[str, Any]) -> tuple[FaultCode, str, dict[str, object]]:
    """Return the code of the error, its sentence, and the values for the names in braces."""
    context = error.get("ctx", {})
    if error["type"] == "value_error":
        reason = context["error"]
        return getattr(reason, "code", FaultCode.INVALID), as_sentence(str(reason)), {}
    code, template = FAULTS.get(error["type"], DEFAULT_FAULT)
    return code, template, {name: _plain(value) for name, value in context.items()}


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
    return tuple(
        FieldProblem(
            detail=error.detail,
            pointer=json_pointer(error.at),
            code=error.code,
            source=None if error.source == "body" else error.source,
            parameter=error.parameter,
        )
        for error in errors
    )


def json_pointer(at: Location) -> str:
    """Return the location as a JSON Pointer (RFC 6901), in its form as a URI fragment."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in at)


def _plain(value: object) -> object:
    return value.replace("'", "").replace(" or ", ", ") if isinstance(value, str) else value


def as_sentence(text: str) -> str:
    """Return the reason that a model gives as a sentence."""
    return text[:1].upper() + text[1:].rstrip(".") + "."
