"""Readers of what people write: phone numbers, days, and lists with one entry on each line.

Opening hours have their own module, `working_hours`.
"""

import datetime as dt
import re

_LABEL = re.compile(r"(?i)^(?:tel(?:ephone)?|phone|call|ring)\b[\s.:]*")
_SEPARATORS = re.compile(r"[\s().\-–/]")
_SHORT = re.compile(r"999|1[0-9]{2}|11[68][0-9]{3}|[678][0-9]{4}")
"""Numbers that are dialled as they are: 999, 101, 116 123, and the five digits of a text service."""
_NATIONAL = re.compile(r"[1-9][0-9]{8,9}|8[0-9]{6}")
"""A UK number without its first 0: ten digits, rarely nine, and seven in numbers such as 0800 1111."""
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
    """Return the E.164 number to dial for `typed`, a phone number in any UK form or in international form.

    A short number such as 999 stays as it is. Return None if `typed` is no number, or is a local number without its
    area code.
    """
    digits = _SEPARATORS.sub("", _LABEL.sub("", typed.strip()).replace("(0)", ""))
    digits = f"+{digits[2:]}" if digits.startswith("00") else digits
    if digits.startswith(_UK) or (digits.startswith("0") and not digits.startswith("00")):
        national = digits.removeprefix(_UK).removeprefix("0")
        return _UK + national if _NATIONAL.fullmatch(national) else None
    return digits if _FOREIGN.fullmatch(digits) or _SHORT.fullmatch(digits) else None


def without_label(typed: str) -> str:
    """Return `typed`, a phone number as a person wrote it, on one line and without a label such as `Tel:`."""
    return " ".join(_LABEL.sub("", typed.strip()).split())


def read_day(typed: str) -> dt.date | None:
    """Return the day that `typed` names, or None if `typed` cannot be read as a day.

    Examples are `30 September 2027`, `30/9/27`, `Thurs 30th Sept 2027` and `2027-09-30`. If the month is a number, the
    day comes before the month, as in Britain. If the date begins with the year, the month comes before the day. A year
    of two digits is in the 2000s.
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
    """Return the index of the first of `names` that begins with `name`.

    Return None if there is none, or if `name` has fewer than `_SHORTEST_NAME` letters.
    """
    is_long = len(name) >= _SHORTEST_NAME
    return next((place for place, each in enumerate(names) if is_long and each.startswith(name)), None)


def day_in_words(day: dt.date) -> str:
    """Return `day` as people write it, such as `30 September 2027`. `read_day` can parse the text."""
    return f"{day.day} {_MONTHS[day.month - 1].capitalize()} {day.year}"


def split_lines(typed: str) -> list[str]:
    """Return the lines of `typed` that have text, without bullets or numbers at their beginning."""
    lines = (_BULLET.sub("", " ".join(line.split()), count=1) for line in typed.splitlines())
    return [line for line in lines if line]
