"""References of concerns: short, unguessable, easy to read aloud, with a check character that detects typing errors."""

import datetime as dt
import secrets

EXAMPLE_REFERENCE = "4F7K-926W-0X3R"
ALPHABET = "02346789FKMRWXYZ"
DRAWN = 11
GROUP = 4
BURST = rf"20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}-[{ALPHABET}]{{{GROUP}}}"
"""Pattern of a burst mark: a day and four characters."""
EXAMPLE_BURST = "2026-11-24-R7KX"
_IN_ALPHABET = str.maketrans("0123456789abcdef", ALPHABET)


def new_reference() -> str:
    """Return a new reference like `4F7K-926W-0X3R`: 44 random bits and a check character."""
    drawn = secrets.token_hex(DRAWN)[:DRAWN].translate(_IN_ALPHABET)
    return in_groups(drawn + _check_character(drawn))


def burst_mark(day: dt.date, digest: bytes) -> str:
    """Return the mark of a source on that day. It has so little of the digest that thousands of sources share it."""
    return f"{day}-{digest.hex()[:GROUP].translate(_IN_ALPHABET)}"


def find_reference_start(typed: str) -> str | None:
    """Return the typed beginning of a reference in standard form, or None if it is too short or cannot be one."""
    plain = _plain(typed)
    if not GROUP <= len(plain) <= DRAWN + 1 or not set(plain) <= set(ALPHABET):
        return None
    return in_groups(plain)


def find_reference(typed: str) -> str | None:
    """Return the typed reference in its standard form, or None if it is not one. Case and grouping do not matter."""
    plain = _plain(typed)
    if len(plain) != DRAWN + 1 or not set(plain) <= set(ALPHABET) or _check_character(plain[:DRAWN]) != plain[DRAWN]:
        return None
    return in_groups(plain)


def _check_character(drawn: str) -> str:
    """Return the check character of the ISO 7064 hybrid system, modulo 17 and 16."""
    size = len(ALPHABET)
    remainder = size
    for character in drawn:
        remainder = ((remainder + ALPHABET.index(character)) % size or size) * 2 % (size + 1)
    return ALPHABET[(1 - remainder) % size]


def _plain(typed: str) -> str:
    return "".join(typed.upper().replace("O", "0").replace("-", " ").split())


def in_groups(plain: str) -> str:
    """Return the characters in groups joined by hyphens."""
    return "-".join(plain[start : start + GROUP] for start in range(0, len(plain), GROUP))
