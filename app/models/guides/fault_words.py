"""Errors in the file of an edition, in plain language for editors."""

import re
from difflib import get_close_matches
from enum import EnumType
from itertools import pairwise
from typing import Any

from pydantic_core import ErrorDetails

from app.errors import CodedValueError, FaultCode, Location
from app.models.coded_values import model_at
from app.models.guides.editions import EditionContent
from app.models.guides.proposed_ids import propose_id
from app.models.guides.seed_files import reason_of

SINGULAR = {
    "linked_risks": "linked risk",
    "responsibilities": "responsibility",
    "related_codes": "related code",
    "opening_hours": "entry of the opening hours",
    "days": "day",
}
_NEEDS = {
    "text": "some text",
    "name": "a name",
    "title": "a title",
    "publisher": "a publisher",
    "change_note": "a change note: what this edition changes, in a sentence for readers",
    "contacts": "a contact: who to call",
    "number": "a number, such as +441632960001",
    "display": "`display`: the number as people read it, such as 01632 960001",
}
"""The end of the sentence `Contact 1 needs ...`, by the key that is missing or empty."""
_FORMS = {
    "id": "an id is lower-case words joined by hyphens, such as `missing-from-home`",
    "number": "a number is in the international form without spaces, such as +441632960001, or short, such as 999",
    "email": "an email address is like duty@council.example",
    "text_relay": "a text relay number is 18001 and then the number, such as 18001 01632 960001",
    "postcode": "a postcode is in capitals with its space, such as ZZ99 9ZZ",
    "opens": "a time is like 08:30",
    "closes": "a time is like 17:00",
    "gss_code": "a GSS code is a letter and eight digits, such as E06000022",
    "urn": "a URN is six digits in quotes",
    "sha256": "this is the SHA-256 of the document: 64 digits and letters from a to f",
}
"""A sentence about the required format, by the key whose value has that format."""


def place_in_words(at: Location) -> str:
    """Return the location `at` in an editor's terms, such as `Contact 1, phone 2`.

    For a location that is in no list, return the first key in backquotes. For the root, return `the file`.
    """
    words = [f"{singular(str(name))} {index + 1}" for name, index in pairwise(at) if isinstance(index, int)]
    if not words:
        groups = [each for each in at if isinstance(each, str)]
        return f"`{groups[0]}`" if groups else "the file"
    return ", ".join(words).capitalize() if len(words) == 1 else f"{words[0].capitalize()}, {', '.join(words[1:])}"


def sentence_at(at: Location, reason: str) -> str:
    """Return `reason`, preceded by the location `at` in an editor's terms. For the root, return only `reason`."""
    return f"{place_in_words(at)}: {reason}" if at else reason


def singular(key: str) -> str:
    """Return the noun for one entry of the list `key` of an edition, such as `linked risk` for `linked_risks`."""
    return SINGULAR.get(key, key.removesuffix("s").replace("_", " "))


def fault_in_words(error: ErrorDetails, value: Any) -> str:
    """Return the validation error `error` as a sentence for editors. `value` is the value of the whole file."""
    at, kind = error["loc"], error["type"]
    key = str(at[-1]) if at else ""
    if kind == "extra_forbidden":
        return _unknown_key(at)
    owner, found = place_in_words(at[:-1]), _value_at(value, at)
    if kind in ("missing", "string_too_short") or (found is None and kind == "string_type"):
        return f"{owner} needs {_needed(at, _value_at(value, at[:-1]))}"
    if kind == "string_pattern_mismatch" and key in _FORMS:
        return f"{owner}: `{key}` cannot be read: {_FORMS[key]}{_international(key, found)}"
    if kind in ("enum", "literal_error"):
        return f"{_named(at)} must be {error['ctx']['expected']}"
    if kind == "value_error":
        return _refused(error)
    return f"{_named(at)} {reason_of(error)}"


def _named(at: Location) -> str:
    """Return the location `at` in an editor's terms, with the key if there is one, such as "Contact 1: `name`"."""
    return f"{place_in_words(at[:-1])}: `{at[-1]}`" if at and isinstance(at[-1], str) else place_in_words(at)


def _unknown_key(at: Location) -> str:
    meant = similar_name(at)
    of = place_in_words(at[:-1])
    hint = f"Did you mean `{meant}`?" if meant else f"It may have: {', '.join(_keys_at(at[:-1]))}."
    return f"{of} has the key `{at[-1]}`, which is not known here. {hint}"


def similar_name(at: Location) -> str | None:
    """Return the known key that is most similar to the unknown key at the end of `at`, or None if none is similar."""
    return next(iter(get_close_matches(str(at[-1]), _keys_at(at[:-1]), n=1)), None)


def _keys_at(at: Location) -> list[str]:
    model = model_at(EditionContent, at)
    return list(model.model_fields) if model is not None else []


def _needed(at: Location, owner: Any) -> str:
    key = str(at[-1]) if at else ""
    if key != "id":
        return _NEEDS.get(key, f"`{key}`") + _choices(at)
    words = owner.get("name") or owner.get("text") if isinstance(owner, dict) else None
    proposed = propose_id(words) if isinstance(words, str) else "missing-from-home"
    return f"an id, such as `id: {proposed}`"


def _choices(at: Location) -> str:
    """Return the allowed values of the field at `at` as the end of a sentence.

    Return an empty string if the field does not have a list of allowed values.
    """
    model = model_at(EditionContent, at[:-1])
    kind = model.model_fields[str(at[-1])].annotation if model is not None and at[-1] in model.model_fields else None
    *others, last = [f"`{each.value}`" for each in kind] if isinstance(kind, EnumType) else [""]
    return f": {', '.join(others)} or {last}" if others else ""


def _international(key: str, found: Any) -> str:
    """Return a sentence on how to write a UK number in national form. Empty if `found` is not one under `number`."""
    digits = re.sub(r"[\s()-]", "", found) if key == "number" and isinstance(found, str) else ""
    return f". Write +44{digits[1:]}" if re.fullmatch(r"0[1-9][0-9]{8,9}", digits) else ""


def _refused(error: ErrorDetails) -> str:
    at, reason = error["loc"], error["ctx"]["error"]
    code = reason.code if isinstance(reason, CodedValueError) else None
    if code is FaultCode.OUT_OF_ORDER and at and at[-1] == "position":
        return f"{place_in_words(at[:-1])} has another place than its `position` says: leave `position` out"
    if at and isinstance(at[-1], str) and code is not FaultCode.NOT_REACHABLE:
        return f"{place_in_words(at[:-1])}: `{at[-1]}` {reason}"
    return sentence_at(at, str(reason))


def _value_at(value: Any, at: Location) -> Any:
    for name in at:
        try:
            value = value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return value
