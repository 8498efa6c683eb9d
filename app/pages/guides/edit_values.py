"""Values of a draft that people write in several ways: phone numbers, days and opening hours.

Text that cannot be understood is stored as typed, so that nothing is lost. The check of the draft then reports the
text as an error.
"""

import datetime as dt
import json
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.models.guides.contacts import OpeningHours
from app.services.guides.working_hours import read_hours, spoken_hours
from app.services.guides.written_values import day_in_words, read_day, read_number, without_label

NUMBER, DISPLAY = "number", "display"
_HOURS = TypeAdapter(tuple[OpeningHours, ...])


def shown_number(phone: dict[str, Any]) -> str:
    """Return the text for the input of the phone number in `phone`, an object with the keys `number` and `display`.

    `number` is the number to dial, and `display` the number as people read it. Return `display`, with the area code in
    front if `display` lacks the area code. If there is no `display`, return `number`.
    """
    number, display = (each if isinstance(each, str) else "" for each in (phone.get(NUMBER), phone.get(DISPLAY)))
    if not display or not _is_local(number, display):
        return display or number
    return f"0{number.removeprefix('+44')}".removesuffix(display) + f" {display}"


def read_phone(typed: str, former: Any) -> dict[str, str]:
    """Return the fields of the phone number `typed`: `number`, to dial, and `display`, as people read the number.

    If the number to dial is unclear, leave out `number`. If `typed` is empty, return no fields. `former` is the saved
    object with these two fields. If `display` in `former` lacks the area code, and the person did not change the input,
    return both saved fields.
    """
    display = without_label(typed)
    if not display:
        return {}
    before = former if isinstance(former, dict) else {}
    kept = {key: before[key] for key in (NUMBER, DISPLAY) if isinstance(before.get(key), str)}
    if len(kept) == len((NUMBER, DISPLAY)) and _is_local(*kept.values()) and typed.strip() == shown_number(before):
        return kept
    number = read_number(display)
    return {DISPLAY: display} if number is None else {NUMBER: number, DISPLAY: display}


def _is_local(number: str, display: str) -> bool:
    """Return True if `display` is the local part of `number`: the number without the area code."""
    return display.isdigit() and number.startswith("+44") and number.endswith(display) and read_number(display) is None


def shown_day(value: Any) -> str:
    """Return the text for the input of the day `value`: `30 September 2027`. Return any other `value` as text."""
    try:
        return day_in_words(dt.date.fromisoformat(value))
    except (TypeError, ValueError):
        return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def read_typed_day(typed: str) -> str:
    """Return the day `typed` in the format of the API. If `typed` cannot be read as a day, return `typed` itself."""
    found = read_day(typed)
    return found.isoformat() if found else typed.strip()


def is_in_words(value: Any) -> bool:
    """Return True if the opening hours `value` are typed text, or can be written as text."""
    return isinstance(value, str) or _hours(value) is not None


def shown_hours(value: Any) -> str:
    """Return the text for the input of the opening hours `value`: a list of hours, typed text, or None.

    If `value` cannot be read, return an empty string.
    """
    return value if isinstance(value, str) else spoken_hours(_hours(value) or ())


def read_typed_hours(typed: str, former: Any) -> Any:
    """Return the opening hours `typed` as a list. If `typed` cannot be read as opening hours, return the typed text.

    `former` are the saved hours, or None. If `typed` is the text that the form showed for `former`, return `former`
    unchanged.
    """
    text = " ".join(typed.split())
    if former is not None and text == shown_hours(former):
        return former
    return [each.model_dump(mode="json") for each in read_hours(text)] or text


def said_value(control: str, value: Any) -> str:
    """Return in words how this service has understood `value`, the saved value of an input.

    `control` is the kind of the input: `phone`, `day` or `hours`. For `phone`, `value` is the object with the number.
    Return an empty string for any other kind, or if `value` could not be understood.
    """
    if control == "phone":
        number = value.get(NUMBER)
        return f"Dials {number}" if isinstance(number, str) and read_number(number) == number else ""
    shown = {"day": shown_day, "hours": shown_hours}.get(control, str)(value)
    return f"Read as {shown}" if control in ("day", "hours") and value and shown != value else ""


def _hours(value: Any) -> tuple[OpeningHours, ...] | None:
    try:
        return _HOURS.validate_python(value or ())
    except ValidationError:
        return None
