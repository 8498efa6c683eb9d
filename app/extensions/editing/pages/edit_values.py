"""Values of a draft that people write in several ways: phone numbers, days and opening hours.

Text that cannot be understood is stored as typed, so that nothing is lost. The check of the draft then reports the
text as an error.
"""

import datetime as dt
import json
from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from app.extensions.editing.services.written_values import day_in_words, read_day
from app.models.guides.contacts import OpeningHours
from app.services.clock.working_hours import days_text, read_hours, spoken_time
from app.services.guides.written_phones import LABEL, read_number

NUMBER, DISPLAY = "number", "display"
_HOURS = TypeAdapter(tuple[OpeningHours, ...])


def shown_number(phone: dict[str, Any]) -> str:
    """Return `display`, with the area code if it lacks one. Otherwise return `number`."""
    number, display = (each if isinstance(each, str) else "" for each in (phone.get(NUMBER), phone.get(DISPLAY)))
    if not display or not _is_local(number, display):
        return display or number
    return f"0{number.removeprefix('+44')}".removesuffix(display) + f" {display}"


def read_phone(typed: str, former: Any) -> dict[str, str]:
    """Return the `number` to dial, unless unclear, and `display`. An unchanged local number keeps both."""
    display = " ".join(LABEL.sub("", typed.strip()).split())
    if not display:
        return {}
    before = former if isinstance(former, dict) else {}
    kept = {key: before[key] for key in (NUMBER, DISPLAY) if isinstance(before.get(key), str)}
    if len(kept) == len((NUMBER, DISPLAY)) and _is_local(*kept.values()) and typed.strip() == shown_number(before):
        return kept
    number = read_number(display)
    return {DISPLAY: display} if number is None else {NUMBER: number, DISPLAY: display}


def _is_local(number: str, display: str) -> bool:
    """Return True if the number lacks the area code."""
    return display.isdigit() and number.startswith("+44") and number.endswith(display) and read_number(display) is None


def shown_day(value: Any) -> str:
    """Return a date in words, such as `30 September 2027`, and any other value as text."""
    try:
        return day_in_words(dt.date.fromisoformat(value))
    except (TypeError, ValueError):
        return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def read_typed_day(typed: str) -> str:
    """Return the day as in the API, or as typed."""
    found = read_day(typed)
    return found.isoformat() if found else typed.strip()


def spoken_hours(hours: Sequence[OpeningHours]) -> str:
    """Return, for example, `Monday to Friday, 8:30am to 5pm`, which `read_hours` can parse."""
    return "; ".join(f"{days_text(each)}, {spoken_time(each.opens)} to {spoken_time(each.closes)}" for each in hours)


def shown_hours(value: Any) -> str:
    """Return an empty text for hours that cannot be read."""
    return value if isinstance(value, str) else spoken_hours(hours_of(value) or ())


def read_typed_hours(typed: str, former: Any) -> Any:
    """Return a list, or the text as typed. If the form showed exactly this for `former`, return `former`."""
    text = " ".join(typed.split())
    if former is not None and text == shown_hours(former):
        return former
    return [each.model_dump(mode="json") for each in read_hours(text)] or text


def said_value(control: str, value: Any) -> str:
    """Return a phone number, day or hours in words, as `control` says. Other controls give an empty text."""
    if control == "phone":
        number = value.get(NUMBER)
        return f"Dials {number}" if isinstance(number, str) and read_number(number) == number else ""
    shown = {"day": shown_day, "hours": shown_hours}.get(control, str)(value)
    return f"Read as {shown}" if control in ("day", "hours") and value and shown != value else ""


def hours_of(value: Any) -> tuple[OpeningHours, ...] | None:
    """Return None for hours that cannot be read."""
    try:
        return _HOURS.validate_python(value or ())
    except ValidationError:
        return None
