"""References of concerns, short, unguessable, easy to read aloud and with a check character, and the ids of bursts."""

import datetime as dt
import secrets

EXAMPLE_REFERENCE = "4F7K-926W-0X3R"
ALPHABET = "02346789FKMRWXYZ"
DRAWN = 11
GROUP = 4
BURST = rf"20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}-[{ALPHABET}]{{{GROUP}}}"
"""For example, 2026-11-24-R7KX."""
EXAMPLE_BURST = "2026-11-24-R7KX"
TYPED_REFERENCE = rf"[\s\-]*(?:[{ALPHABET}{ALPHABET.lower()}Oo][\s\-]*){{{DRAWN + 1}}}"
"""Pattern for a form field: the browser refuses to send anything else, such as a name."""
_IN_ALPHABET = str.maketrans("0123456789abcdef", ALPHABET)


def new_reference() -> str:
    """Return a reference such as `4F7K-926W-0X3R`: 44 random bits and a check character."""
    drawn = secrets.token_hex(DRAWN)[:DRAWN].translate(_IN_ALPHABET)
    return in_groups(drawn + _check_character(drawn))


def source_id(day: dt.date, digest: bytes) -> str:
    """Return the day and 16 bits of `digest`: too few to identify a source."""
    return f"{day}-{digest.hex()[:GROUP].translate(_IN_ALPHABET)}"


def find_reference_start(typed: str) -> str | None:
    """Return a reference's start in standard form, or None if none begins so or it has fewer than four characters."""
    plain = _plain(typed)
    if not GROUP <= len(plain) <= DRAWN + 1 or not set(plain) <= set(ALPHABET):
        return None
    return in_groups(plain)


def find_reference(typed: str) -> str | None:
    """Return the standard form, or None if the reference is not valid. Case and grouping do not matter."""
    plain = _plain(typed)
    if len(plain) != DRAWN + 1 or not set(plain) <= set(ALPHABET) or _check_character(plain[:DRAWN]) != plain[DRAWN]:
        return None
    return in_groups(plain)


def _check_character(drawn: str) -> str:
    """ISO 7064, hybrid system MOD 17,16."""
    size = len(ALPHABET)
    remainder = size
    for character in drawn:
        remainder = ((remainder + ALPHABET.index(character)) % size or size) * 2 % (size + 1)
    return ALPHABET[(1 - remainder) % size]


def _plain(typed: str) -> str:
    return "".join(typed.upper().replace("O", "0").replace("-", " ").split())


def in_groups(plain: str) -> str:
    return "-".join(plain[start : start + GROUP] for start in range(0, len(plain), GROUP))
