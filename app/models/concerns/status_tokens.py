"""Status tokens: codes with which a reporter follows a concern, short enough to write down and to read aloud.

The alphabet is that of Crockford's base 32: it has no I, L, O and U. What is typed for one of them is read as the
digit that it looks like.
"""

import secrets

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 16
GROUP = 4
_LOOK_ALIKE = str.maketrans("OIL", "011")
_JOINTS = str.maketrans("", "", "- \t")


def new_status_token() -> str:
    """Return a new token like `7K3M-9QXT-2W8R-VB5N`: 80 random bits."""
    drawn = secrets.token_bytes(LENGTH)
    return _group("".join(ALPHABET[byte % len(ALPHABET)] for byte in drawn))


def standard_token(typed: str) -> str:
    """Return the typed token in its standard form. Another, such as an older one, stays as typed."""
    plain = typed.upper().translate(_JOINTS).translate(_LOOK_ALIKE)
    is_short = len(plain) == LENGTH and set(plain) <= set(ALPHABET)
    return _group(plain) if is_short else typed


def _group(plain: str) -> str:
    return "-".join(plain[start : start + GROUP] for start in range(0, LENGTH, GROUP))
