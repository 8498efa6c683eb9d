"""Sealed texts inside requests: files of the age format, in base64, that a worker's own machine made."""

import base64
import binascii
from collections.abc import Callable

from app.faults import CodedValueError, FaultCode

AGE_HEADER = b"age-encryption.org/v1\n"
EXAMPLE_SEALED = base64.b64encode(AGE_HEADER + b"-> X25519 ...").decode()


def base64_length(size: int) -> int:
    """Return how many characters so many bytes have in base64, at most."""
    return size * 4 // 3 + 4


def age_file_within(max_bytes: int) -> Callable[[str], str]:
    """Return what checks that a text is a file of the age format of so many bytes at most, in base64."""

    def check(text: str) -> str:
        try:
            sealed = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            sealed = b""
        if not sealed.startswith(AGE_HEADER) or len(sealed) > max_bytes:
            raise CodedValueError(FaultCode.WRONG_FORM, "must be a file of the age format, in base64")
        return text

    return check
