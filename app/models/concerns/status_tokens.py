"""Status tokens: codes with which a reporter follows a concern, short enough to write down and to read aloud.

The alphabet is that of Crockford's base 32: it has no I, L, O and U. What is typed for one of them is read as the
digit that it looks like.
"""

import base64
import secrets

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHARACTERS = frozenset(CROCKFORD)
_TO_CROCKFORD = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", CROCKFORD)
_BYTES = 10
_LENGTH = 16
_GROUP = 4
_LOOK_ALIKE = str.maketrans("OIL", "011")
_JOINTS = str.maketrans("", "", "- \t")


def new_status_token() -> str:
    """Return a new token like `7K3M-9QXT-2W8R-VB5N`: 80 random bits."""
    return _group(base64.b32encode(secrets.token_bytes(_BYTES)).decode().translate(_TO_CROCKFORD))


def standard_token(typed: str) -> str:
    """Return the typed token in its standard form. Another, such as an older one, stays as typed."""
    plain = typed.upper().translate(_JOINTS).translate(_LOOK_ALIKE)
    is_short = len(plain) == _LENGTH and _CHARACTERS.issuperset(plain)
    return _group(plain) if is_short else typed


def _group(plain: str) -> str:
    return "-".join(plain[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))
