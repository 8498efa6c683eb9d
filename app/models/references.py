"""References of concerns: short, unguessable, easy to read aloud, and with a check character to detect typing errors.

Also the ids of bursts. A burst is many concerns from one source on one day.
"""

import datetime as dt
import secrets

EXAMPLE_REFERENCE = "4F7K-926W-0X3R"
ALPHABET = "02346789FKMRWXYZ"
DRAWN = 11
GROUP = 4
BURST = rf"20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}-[{ALPHABET}]{{{GROUP}}}"
"""Pattern of the id of a burst: a day and four characters, such as 2026-11-24-R7KX."""
EXAMPLE_BURST = "2026-11-24-R7KX"
TYPED_REFERENCE = rf"[\s\-]*(?:[{ALPHABET}{ALPHABET.lower()}Oo][\s\-]*){{{DRAWN + 1}}}"
"""Pattern of a typed reference for a form field: the browser refuses to send anything else, such as a name."""
_IN_ALPHABET = str.maketrans("0123456789abcdef", ALPHABET)


def new_reference() -> str:
    """Return a new reference like `4F7K-926W-0X3R`: 44 random bits and a check character."""
    drawn = secrets.token_hex(DRAWN)[:DRAWN].translate(_IN_ALPHABET)
    return in_groups(drawn + _check_character(drawn))


def source_id(day: dt.date, digest: bytes) -> str:
    """Return a short id of a source (a network from which people write) on `day`: the day and four characters.

    The id serves as the id of a burst, and as the source of saved forms. `digest` is a keyed digest of the source's
    address. The id contains only 16 bits of the digest. Thousands of possible sources share each id, so that an id
    identifies no source.
    """
    return f"{day}-{digest.hex()[:GROUP].translate(_IN_ALPHABET)}"


def find_reference_start(typed: str) -> str | None:
    """Return the beginning of a reference in `typed`, in standard form.

    Return None if `typed` has fewer than four characters, or cannot be the beginning of a reference.
    """
    plain = _plain(typed)
    if not GROUP <= len(plain) <= DRAWN + 1 or not set(plain) <= set(ALPHABET):
        return None
    return in_groups(plain)


def find_reference(typed: str) -> str | None:
    """Return `typed` as a reference in standard form, or None if it is not a valid reference.

    Case and grouping do not matter.
    """
    plain = _plain(typed)
    if len(plain) != DRAWN + 1 or not set(plain) <= set(ALPHABET) or _check_character(plain[:DRAWN]) != plain[DRAWN]:
        return None
    return in_groups(plain)


def _check_character(drawn: str) -> str:
    """Return the check character of ISO 7064, hybrid system MOD 17,16, for the characters in `drawn`."""
    size = len(ALPHABET)
    remainder = size
    for character in drawn:
        remainder = ((remainder + ALPHABET.index(character)) % size or size) * 2 % (size + 1)
    return ALPHABET[(1 - remainder) % size]


def _plain(typed: str) -> str:
    return "".join(typed.upper().replace("O", "0").replace("-", " ").split())


def in_groups(plain: str) -> str:
    """Return the characters of `plain` in groups of four, joined by hyphens."""
    return "-".join(plain[start : start + GROUP] for start in range(0, len(plain), GROUP))
