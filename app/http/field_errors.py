"""Pydantic's validation errors as field errors, and field errors as the `errors` of a problem."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel

from app.errors import FaultCode, FieldError, Location
from app.models.coded_values import model_at
from app.models.operations.problems import FieldProblem

FAULTS: dict[str, tuple[FaultCode, str]] = {
    "missing": (FaultCode.REQUIRED, "This field is required."),
    "extra_forbidden": (FaultCode.UNKNOWN_FIELD, "Unknown field here. Check the spelling of the names."),
    "string_type": (FaultCode.WRONG_TYPE, "Enter text."),
    "string_too_short": (FaultCode.BLANK, "Enter an answer."),
    "string_too_long": (FaultCode.TOO_LONG, "Use {max_length} characters or fewer."),
    "string_pattern_mismatch": (FaultCode.WRONG_FORM, "Enter this in the correct format."),
    "enum": (FaultCode.NOT_LISTED, "Use one of: {expected}."),
    "literal_error": (FaultCode.NOT_LISTED, "Use one of: {expected}."),
    "bool_type": (FaultCode.WRONG_TYPE, "Use true or false."),
    "bool_parsing": (FaultCode.WRONG_TYPE, "Use true or false."),
    "int_type": (FaultCode.WRONG_TYPE, "Enter a whole number."),
    "int_parsing": (FaultCode.WRONG_TYPE, "Enter a whole number."),
    "int_parsing_size": (FaultCode.TOO_LARGE, "Enter a smaller whole number."),
    "int_from_float": (FaultCode.WRONG_TYPE, "Enter a whole number."),
    "greater_than_equal": (FaultCode.TOO_SMALL, "Enter {ge} or more."),
    "less_than_equal": (FaultCode.TOO_LARGE, "Enter {le} or less."),
    "too_short": (FaultCode.TOO_FEW, "Give at least {min_length}."),
    "too_long": (FaultCode.TOO_MANY, "Give {max_length} at most."),
    "date_type": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24."),
    "date_parsing": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24."),
    "date_from_datetime_parsing": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24."),
    "date_from_datetime_inexact": (FaultCode.NOT_A_DATE, "Use a date such as 2026-11-24, without a time."),
    "model_type": (FaultCode.WRONG_TYPE, "Use a JSON object."),
    "model_attributes_type": (FaultCode.WRONG_TYPE, "Use a JSON object."),
    "dict_type": (FaultCode.WRONG_TYPE, "Use a JSON object."),
    "tuple_type": (FaultCode.WRONG_TYPE, "Use a JSON array."),
    "list_type": (FaultCode.WRONG_TYPE, "Use a JSON array."),
    "unknown_parameter": (FaultCode.UNKNOWN_PARAMETER, "Unknown query parameter. {hint}"),
    "nul_in_parameter": (FaultCode.INVALID, "A query parameter contains a NUL character."),
    "repeated_parameter": (FaultCode.REPEATED_PARAMETER, "This parameter is repeated. Send it once."),
}
MEANT = "Unknown field here. Did you mean '{meant}'?"
DEFAULT_FAULT = (FaultCode.INVALID, "This is not a valid answer.")


def to_field_error(error: Mapping[str, Any]) -> FieldError:
    """Return the entry of `errors`.

    `error["loc"]` must be the location in the body, without the leading `body` of FastAPI.
    """
    at, context = tuple(error["loc"]), error.get("ctx", {})
    if error["type"] == "value_error":
        reason = context["error"]
        text = str(reason)
        sentence = text[:1].upper() + text[1:].rstrip(".") + "."
        return FieldError(at, sentence, getattr(reason, "code", FaultCode.INVALID))
    code, template = FAULTS.get(error["type"], DEFAULT_FAULT)
    return FieldError(at, template, code, values={name: _plain(value) for name, value in context.items()})


def to_request_fault(error: Mapping[str, Any]) -> FieldError:
    source, *rest = error["loc"]
    fault = to_field_error(error)
    if source == "body":
        return replace(fault, at=tuple(rest))
    return replace(fault, at=(), source=source, parameter=str(rest[0]) if rest else None)


def to_field_problems(errors: Sequence[FieldError]) -> tuple[FieldProblem, ...]:
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
    """Return a JSON Pointer as a URI fragment (RFC 6901, section 6)."""
    return "#" + "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in at)


def hide_unknown_names(faults: Iterable[FieldError], model: type[BaseModel] | None) -> list[FieldError]:
    """Return `faults` once each, without the names of unknown fields: such a name may identify a child."""
    return list(
        dict.fromkeys(
            _at_object(each, model) if each.code is FaultCode.UNKNOWN_FIELD and each.source == "body" else each
            for each in faults
        )
    )


def _at_object(fault: FieldError, model: type[BaseModel] | None) -> FieldError:
    at, name = fault.at[:-1], str(fault.at[-1])
    there = model_at(model, at) if model is not None else None
    meant = get_close_matches(name, there.model_fields, n=1) if there is not None else []
    return replace(fault, at=at, template=MEANT, values={"meant": meant[0]}) if meant else replace(fault, at=at)


def _plain(value: object) -> object:
    return value.replace("'", "").replace(" or ", ", ") if isinstance(value, str) else value
