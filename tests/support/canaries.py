"""A concern with a canary in every field, and what finds the canary in bytes."""

import base64
import json
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from app.models.coded_values import coded_values
from app.models.concerns.concern import Concern
from app.models.concerns.examples import FULL_EXAMPLE

CANARY = "QuetzalAlex"
BIRTHDAYS = (b"1912-03-04", b"1912-05-06")

Place = tuple[str | int, ...]


def forms_of(word: str) -> list[bytes]:
    """The word as it could stand in a file: in base64 at each offset, in hexadecimal, in UTF-16, backwards."""
    plain = word.encode()
    in_base64 = [base64.b64encode(b"." * offset + plain)[4 * bool(offset) : -4] for offset in range(3)]
    return [*in_base64, plain.hex().encode(), word.encode("utf-16-le"), plain[::-1]]


def traces(content: bytes) -> list[bytes]:
    """What of the canary stands in the bytes."""
    found = [form for form in forms_of(CANARY) if form in content]
    found += [word for word in BIRTHDAYS if word in content]
    return found + ([CANARY.encode()] if CANARY.lower().encode() in content.lower() else [])


def leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    """The place of every text."""
    if isinstance(value, dict | list):
        for step, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(member, (*place, step))
    elif isinstance(value, str):
        yield place


def put(told: Any, place: Place, value: str) -> Any:
    """A copy of the concern with the text at that place replaced."""
    copied = inside = json.loads(json.dumps(told))
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = value
    return copied


def is_a_concern(told: Any) -> bool:
    try:
        Concern.model_validate_json(json.dumps(told))
    except ValidationError:
        return False
    return True


def planted() -> tuple[Any, list[Place]]:
    """The full example with the canary in every place where any words may stand, and those places."""
    codes = {place for place, _, _ in coded_values(Concern.model_validate_json(json.dumps(FULL_EXAMPLE)))}
    told = put(FULL_EXAMPLE, ("children", 0, "date_of_birth"), "1912-03-04")
    told = put(told, ("parents_and_carers", 0, "date_of_birth"), "1912-05-06")
    free = [place for place in leaves(told) if place not in codes and is_a_concern(put(told, place, CANARY))]
    for number, place in enumerate(free):
        told = put(told, place, f"{CANARY} {number}")
    return told, free
