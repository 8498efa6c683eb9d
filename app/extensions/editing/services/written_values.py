"""Readers of what people write: days, and lists with one entry on each line."""

import datetime as dt
import re

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


def read_day(typed: str) -> dt.date | None:
    """Read, for example, `30 September 2027`, `30/9/27`, `Thurs 30th Sept 2027` or `2027-09-30`.

    The day comes before the month, as in Britain, unless the year is first. Two digits are 20xx.
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
    """Return, for example, `30 September 2027`."""
    return f"{day.day} {_MONTHS[day.month - 1].capitalize()} {day.year}"


def split_lines(typed: str) -> list[str]:
    """Return the lines that have text, without bullets or numbers."""
    lines = (_BULLET.sub("", " ".join(line.split()), count=1) for line in typed.splitlines())
    return [line for line in lines if line]
