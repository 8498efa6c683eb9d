"""Telephone numbers as people write them."""

import re
from typing import Any

PHONE_NUMBER = re.compile(r"(?<![\w/.-])(?:\+44[\d ]{8,14}\d|0\d[\d ]{7,12}\d|\d{6})(?![\w/])")
WEB = re.compile(r"(?:https?://|www\.)[^\s<>]+[^\s<>.,;)]")
OPTION = re.compile(r"(?i)\b(?:option|press) ([0-9]{1,2}|[*#])(?!\w)")
LABEL = re.compile(r"(?i)^(?:tel(?:ephone)?|phone|call|ring)\b[\s.:]*")
_SEPARATORS = re.compile(r"[\s().\-–/]")
_SHORT = re.compile(r"999|1[0-9]{2}|11[68][0-9]{3}|[678][0-9]{4}")
"""Dialled as they are: 999, 101, 116 123, and five digits of a text service."""
_NATIONAL = re.compile(r"[1-9][0-9]{8,9}|8[0-9]{6}")
"""Number without the first 0: ten digits, rarely nine, or seven in 0800 1111."""
_FOREIGN = re.compile(r"\+[1-9][0-9]{6,14}")
_UK = "+44"


def read_number(typed: str) -> str | None:
    """Return E.164 for any UK or international form. 999 stays; a local number without an area code gives None."""
    digits = _SEPARATORS.sub("", LABEL.sub("", typed.strip()).replace("(0)", ""))
    digits = f"+{digits[2:]}" if digits.startswith("00") else digits
    if digits.startswith(_UK) or (digits.startswith("0") and not digits.startswith("00")):
        national = digits.removeprefix(_UK).removeprefix("0")
        return _UK + national if _NATIONAL.fullmatch(national) else None
    return digits if _FOREIGN.fullmatch(digits) or _SHORT.fullmatch(digits) else None


def phones_in(text: str) -> list[dict[str, Any]]:
    """Return the phone numbers in `text` as the fields of `Phone`: `number` for dialling, and `display` as written.

    If `text` says which option to press, each phone number has this `option`. Leave out numbers of fewer than six
    digits, such as 999, and local numbers unless a number with an area code comes before.
    """
    phones: list[dict[str, Any]] = []
    option = OPTION.search(text)
    for display in PHONE_NUMBER.findall(WEB.sub(" ", text)):
        number = read_number(display)
        if number is None and phones and display.isdigit():  # a local number after a number with its area code
            area = phones[-1]["number"][: -len(display)]
            number = f"{area}{display}" if area else None
        if number is not None:
            phones.append({"number": number, "display": display.strip()} | ({"option": option[1]} if option else {}))
    return phones
