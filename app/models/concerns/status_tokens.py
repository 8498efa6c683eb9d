"""Status tokens: secret codes with which reporters follow their concerns."""

import secrets

from app.models.references import in_groups

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHARACTERS = frozenset(CROCKFORD)
_OF_EACH_BYTE = (CROCKFORD * 8).encode()  # maps the 256 byte values to the 32 characters, 8 to each
_LENGTH = 16
_LOOK_ALIKE = str.maketrans("OIL", "011")
_JOINTS = str.maketrans("", "", "- \t")


def new_status_token() -> str:
    """Return a token such as `7K3M-9QXT-2W8R-VB5N`, with 80 random bits."""
    return in_groups(secrets.token_bytes(_LENGTH).translate(_OF_EACH_BYTE).decode())


def standard_token(typed: str) -> str:
    """Return a token in standard form, and other text, such as an older token, unchanged."""
    plain = typed.upper().translate(_JOINTS).translate(_LOOK_ALIKE)
    is_short = len(plain) == _LENGTH and _CHARACTERS.issuperset(plain)
    return in_groups(plain) if is_short else typed
