"""The file that is handed over: a concern and its additions, opened and sealed to the key of another body."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

import orjson
from pyrage import x25519

from app.age.keys import NotAKey, seal_to
from app.age.keys import parse_recipient as parse_age_recipient
from app.errors import ValidationFailed
from app.faults import FieldError
from app.models.base import format_utc

PACKAGE_KIND = "guidance-hand-over"
NOT_A_RECIPIENT = "This is not an age recipient (age1...)."


def parse_recipient(text: str) -> x25519.Recipient:
    """Return the recipient. Raises `ValidationFailed` if the text is none."""
    try:
        return parse_age_recipient(text)
    except NotAKey:
        raise ValidationFailed([FieldError(("recipient",), NOT_A_RECIPIENT)]) from None


def package_of(
    concern: dict[str, Any], additions: Sequence[dict[str, Any]], *, body: str, reason: str, at: dt.datetime
) -> bytes:
    """Return the JSON of the opened concern and additions, to be sealed to the body."""
    document = {
        "kind": PACKAGE_KIND,
        "handed_over_at": format_utc(at),
        "body": body,
        "reason": reason,
        "concern": concern,
        "additions": list(additions),
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def seal_package(package: bytes, recipient: x25519.Recipient) -> bytes:
    """Return the age file of the package. The plain `age` program opens it."""
    return seal_to(package, recipient)


def sha256_of(sealed: bytes) -> str:
    """Return the digest of the file, as the record has it."""
    return hashlib.sha256(sealed).hexdigest()
