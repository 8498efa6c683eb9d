"""Readers of what people write: phone numbers, days, and lists with one entry on each line.

Opening hours have their own module, `working_hours`.
"""

import datetime as dt
import re

_LABEL = re.compile(r"(?i)^(?:tel(?:ephone)?|phone|call|ring)\b[\s.:]*")
_SEPARATORS = re.compile(r"[\s().\-–/]")
_SHORT = re.compile(r"999|1[0-9]{2}|11[68][0-9]{3}|[678][0-9]{4}")
"""Dialled as they are: 999, 101, 116 123, and five digits of a text service."""
_NATIONAL = re.compile(r"[1-9][0-9]{8,9}|8[0-9]{6}")
"""Without the first 0: ten digits, rarely nine, seven in 0800 1111."""
_FOREIGN = re.compile(r"\+[1-9][0-9]{6,14}")
_UK = "+44"
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july"),
    *("august", "september", "october", "november", "december"),
)
_SHORTEST_NAME = 3
_DAY_SIGNS = re.compile(r"[0-9a-z\s,./-]*")
_DAY_PARTS = re.compile(r"[0-9]+|[a-z]+")
_NOT_OF_A_DAY = frozenset({"st", "nd", "rd", "th", "of", "the"})
_CENTURY = 2000
_BULLET = re.compile(r"^(?:[·•▪●○◦‣\uf0b7*–-]|o(?=\s)|\(?[0-9]{1,2}[.)](?=\s))\s*")


def read_number(typed: str) -> str | None:
    """Return E.164 for any UK or international form; 999 stays. None for a local number without area code."""
    digits = _SEPARATORS.sub("", _LABEL.sub("", typed.strip()).replace("(0)", ""))
    digits = f"+{digits[2:]}" if digits.startswith("00") else digits
    if digits.startswith(_UK) or (digits.startswith("0") and not digits.startswith("00")):
        national = digits.removeprefix(_UK).removeprefix("0")
        return _UK + national if _NATIONAL.fullmatch(national) else None
    return digits if _FOREIGN.fullmatch(digits) or _SHORT.fullmatch(digits) else None


def without_label(typed: str) -> str:
    """On one line, without `Tel:`."""
    return " ".join(_LABEL.sub("", typed.strip()).split())


def read_day(typed: str) -> dt.date | None:
    """Such as `30 September 2027`, `30/9/27`, `Thurs 30th Sept 2027`, `2027-09-30`: day before month, as in Britain.

    If the year is first, the month is second. Two digits are 20xx.
    """
    text = typed.lower()
    found = _DAY_PARTS.findall(text) if _DAY_SIGNS.fullmatch(text) else []
    parts = [each for each in found if each not in _NOT_OF_A_DAY and _index_of(each, _WEEKDAYS) is None]
    names = [each for each in parts if each.isalpha()]
    numbers = [int(each) for each in parts if each.isdigit() and len(each) <= len("2027")]
    if len(parts) != len("dmy") or len(names) > 1 or len(names) + len(numbers) != len(parts):
        return None
    if names:
        month = _index_of(names[0], _MONTHS)
        numbers.insert(1, 0 if month is None else month + 1)
    year_first = len(next(each for each in parts if each.isdigit())) == len("2027")
    year, month, day = numbers if year_first else reversed(numbers)
    try:
        return dt.date(year + _CENTURY if year < _CENTURY // 20 else year, month, day)
    except ValueError:
        return None


def _index_of(name: str, names: tuple[str, ...]) -> int | None:
    """The first that begins with `name`, of `_SHORTEST_NAME` letters at least."""
    is_long = len(name) >= _SHORTEST_NAME
    return next((place for place, each in enumerate(names) if is_long and each.startswith(name)), None)


def day_in_words(day: dt.date) -> str:
    """Such as `30 September 2027`."""
    return f"{day.day} {_MONTHS[day.month - 1].capitalize()} {day.year}"


def split_lines(typed: str) -> list[str]:
    """Those with text, without bullets or numbers."""
    lines = (_BULLET.sub("", " ".join(line.split()), count=1) for line in typed.splitlines())
    return [line for line in lines if line]
